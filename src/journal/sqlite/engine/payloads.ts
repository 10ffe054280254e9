import { type RecordedNote, type SentMessage, StoreError } from '../../journal.ts';
import { forgetContacts } from './contact-table.ts';
import type { Engine } from './engine.ts';
import { aliasesOf } from './lanes.ts';
import type { EventRow } from './rows.ts';
import { ALL_POSITIONS, BLOCK_SQL, BLOCKS_SQL, laneEquals } from './filter-sql.ts';

export function insertBody({ db, cipher }: Engine, seq: number | bigint, body: Uint8Array): void {
  db.run('INSERT INTO bodies (seq, body) VALUES (?, ?)', seq, cipher.encrypt(body));
}

/** Undefined if there is none or it cannot be decrypted. */
export function readBody({ db, cipher }: Engine, seq: number): Buffer | undefined {
  const row = db.one('SELECT body FROM bodies WHERE seq = ?', seq) as { body: Uint8Array } | undefined;
  return row === undefined ? undefined : cipher.decrypt(row.body);
}

export function insertSentMessages({ db, cipher }: Engine, seq: number, sent: readonly SentMessage[]): void {
  for (const { kind, json } of sent) {
    db.run(
      'INSERT INTO sent (seq, kind, json) VALUES (?, ?, ?)',
      seq,
      kind,
      cipher.encrypt(Buffer.from(json, 'utf8')),
    );
  }
}

/** Messages that cannot be decrypted are omitted and reported. */
export function readSentMessages(engine: Engine, { seq, receipt }: EventRow): SentMessage[] {
  const rows = engine.db.all('SELECT kind, json FROM sent WHERE seq = ? ORDER BY id', seq) as {
    kind: SentMessage['kind'];
    json: Uint8Array;
  }[];
  return rows.flatMap(({ kind, json }) => {
    const plain = engine.cipher.decrypt(json);
    if (plain !== undefined) return [{ kind, json: plain.toString('utf8') }];
    engine.reportUnreadable('a sent message', receipt);
    return [];
  });
}

/** Deletes the body and, for a dead letter, the sent messages. */
export function deletePayloads({ db }: Engine, seq: number): void {
  db.run('DELETE FROM bodies WHERE seq = ?', seq);
  db.run('DELETE FROM sent WHERE seq = ?', seq);
  db.run('UPDATE events SET kept = 0 WHERE seq = ?', seq);
}

/** Bounds of the notes stored with one event. */
const MAX_NOTES = 100;
const MAX_PATH_LENGTH = 300;

/** The stored form: pairs of path and code. */
type NotePairs = readonly (readonly [string, string])[];

/** Writes nothing if there are no notes; a replay has already deleted earlier ones. */
export function writeNotes(
  { db, cipher }: Engine,
  seq: number,
  notes: readonly RecordedNote[] | undefined,
): void {
  if (notes === undefined || notes.length === 0) return;
  const pairs: NotePairs = notes
    .slice(0, MAX_NOTES)
    .map(({ path, code }) => [path.slice(0, MAX_PATH_LENGTH), code]);
  db.run(
    'INSERT OR REPLACE INTO notes (seq, json) VALUES (?, ?)',
    seq,
    cipher.encrypt(Buffer.from(JSON.stringify(pairs), 'utf8')),
  );
}

function parsePairs(plain: Buffer | undefined): NotePairs | undefined {
  try {
    return plain && (JSON.parse(plain.toString('utf8')) as NotePairs);
  } catch {
    return undefined;
  }
}

/** Notes that cannot be decrypted or parsed are omitted and reported. */
export function readNotes(engine: Engine, { seq, receipt }: EventRow): RecordedNote[] {
  const row = engine.db.one('SELECT json FROM notes WHERE seq = ?', seq) as { json: Uint8Array } | undefined;
  if (row === undefined) return [];
  const pairs = parsePairs(engine.cipher.decrypt(row.json));
  if (pairs !== undefined) return pairs.map(([path, code]) => ({ path, code }));
  engine.reportUnreadable('the notes of an event', receipt);
  return [];
}

export function deleteNotes({ db }: Engine, seq: number): void {
  db.run('DELETE FROM notes WHERE seq = ?', seq);
}

/** The assembled profile of a lane: undefined if there is none, null if it cannot be decrypted. */
export function readProfile(engine: Engine, destination: string, lane: string): string | null | undefined {
  const row = engine.db.one(
    'SELECT state FROM profiles WHERE destination = ? AND lane = ?',
    destination,
    lane,
  ) as { state: Uint8Array } | undefined;
  return row === undefined ? undefined : (engine.cipher.decrypt(row.state)?.toString('utf8') ?? null);
}

/** Null deletes the profile. */
export function writeProfile(
  { db, cipher }: Engine,
  destination: string,
  lane: string,
  state: string | null,
): void {
  if (state === null) {
    db.run('DELETE FROM profiles WHERE destination = ? AND lane = ?', destination, lane);
    return;
  }
  db.run(
    `INSERT INTO profiles (destination, lane, state) VALUES (?, ?, ?)
     ON CONFLICT (destination, lane) DO UPDATE SET state = excluded.state`,
    destination,
    lane,
    cipher.encrypt(Buffer.from(state, 'utf8')),
  );
}

/**
 * @throws StoreError if one cannot be decrypted: treated as absent, the next profile sent would
 *   overwrite its attributes at Adobe
 */
export function profiles(
  engine: Engine,
  request: { readonly destination: string; readonly lanes: readonly string[] },
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const lane of request.lanes) {
    const state = readProfile(engine, request.destination, lane);
    if (state === null)
      throw new StoreError('an assembled profile cannot be decrypted: is its encryption key missing?');
    if (state !== undefined) found.set(lane, state);
  }
  return found;
}

/** While `erase` runs, deleted data is also overwritten in the file. */
export function withSecureDelete({ db }: Engine, erase: () => void): void {
  db.raw.exec('PRAGMA secure_delete = ON');
  try {
    erase();
  } finally {
    db.raw.exec('PRAGMA secure_delete = FAST');
  }
}

function deleteContent(engine: Engine, seq: number): void {
  deletePayloads(engine, seq);
  deleteNotes(engine, seq);
  engine.db.run('UPDATE attempts SET detail = NULL WHERE seq = ?', seq);
  engine.db.run('UPDATE events SET detail = NULL WHERE seq = ?', seq);
}

/** The events of the same source or destination are erased: a source can have been rerouted. */
interface EraseScope {
  readonly destination: string;
  readonly source: string;
}

/** Settled events that are in the lane or were moved from it to another lane by an alias. */
function settledSeqsOf({ db }: Engine, lane: string, scope: EraseScope): number[] {
  return (
    db.all(
      `SELECT seq FROM events INDEXED BY events_of_lane
       WHERE ${BLOCK_SQL} IN ${BLOCKS_SQL} AND ${laneEquals('?3')}
         AND (destination = ?4 OR source = ?5) AND state <> 'pending'
       UNION SELECT seq FROM events INDEXED BY events_own_lane
       WHERE own_lane = ?3 AND (destination = ?4 OR source = ?5) AND state <> 'pending'`,
      ALL_POSITIONS.from,
      ALL_POSITIONS.to,
      lane,
      scope.destination,
      scope.source,
    ) as { seq: number }[]
  ).map(({ seq }) => seq);
}

/**
 * Erases a customer and those merged into it: payloads and notes of settled events, and the
 * assembled profiles, and what is counted of their contacts.
 */
export function eraseLane(engine: Engine, lane: string, scope: EraseScope): void {
  withSecureDelete(engine, () => {
    for (const each of [lane, ...aliasesOf(engine, scope.destination, lane)]) {
      for (const seq of settledSeqsOf(engine, each, scope)) deleteContent(engine, seq);
      writeProfile(engine, scope.destination, each, null);
      forgetContacts(engine, scope.destination, each);
    }
  });
}

/** Erases the content of one event but not its record. */
export function eraseEvent(engine: Engine, seq: number): void {
  withSecureDelete(engine, () => deleteContent(engine, seq));
}

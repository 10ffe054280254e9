import { type RecordedNote, type SentMessage, StoreError } from '../../journal.ts';
import { forgetContacts } from './contact-table.ts';
import { isDamage } from './damage.ts';
import type { Engine } from './sqlite-engine.ts';
import { aliasesOf } from './lanes.ts';
import { isReadable, type Loss } from '../../payload-cipher.ts';
import { notesOf, notesToStore } from '../../stored-notes.ts';
import { endRefresh } from './refresh-table.ts';
import type { EventRow } from './rows.ts';
import { ALL_POSITIONS, BLOCK_SQL, BLOCKS_SQL, laneEquals } from './filter-sql.ts';

/** @param sealed the body in its stored form */
export function insertSealedBody({ db }: Engine, seq: number, sealed: Uint8Array): void {
  db.run('INSERT INTO bodies (seq, body) VALUES (?, ?)', seq, sealed);
}

export function insertBody(engine: Engine, seq: number, body: Uint8Array): void {
  insertSealedBody(engine, seq, engine.cipher.encrypt(body));
}

/**
 * Undefined if there is no such row. After a damaged page was met, SQLite refuses every write until
 * the transaction is rolled back. So that damage concerns this payload only, it is remembered, and
 * the page is not read again.
 * @throws the error of SQLite when the damage is met for the first time
 */
export function readStored(
  { db, cipher, damagedPages }: Engine,
  sql: string,
  ...key: (string | number)[]
): Buffer | Loss | undefined {
  const id = (): string => `${sql} ${key.join(' ')}`;
  if (damagedPages.size > 0 && damagedPages.has(id())) return 'page-damaged';
  try {
    const payload = db.values(sql, ...key)?.[0] as Uint8Array | undefined;
    return payload && cipher.decrypt(payload);
  } catch (error) {
    if (isDamage(error)) damagedPages.add(id());
    throw error;
  }
}

/** Undefined if there is none. @throws as `readStored` */
export function readBody(engine: Engine, seq: number): Buffer | Loss | undefined {
  return readStored(engine, 'SELECT body AS payload FROM bodies WHERE seq = ?', seq);
}

/** Undefined also if it cannot be read: a duplicate is recognised without the first body. */
export function readableBody(engine: Engine, seq: number): Buffer | undefined {
  const body = readBody(engine, seq);
  return typeof body === 'string' ? undefined : body;
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

/** Messages that cannot be read are omitted and reported. */
export function readSentMessages(engine: Engine, { seq, receipt }: EventRow): SentMessage[] {
  const rows = engine.db.all('SELECT kind, json FROM sent WHERE seq = ? ORDER BY id', seq) as {
    kind: SentMessage['kind'];
    json: Uint8Array;
  }[];
  return rows.flatMap(({ kind, json }) => {
    const plain = engine.cipher.decrypt(json);
    if (isReadable(plain)) return [{ kind, json: plain.toString('utf8') }];
    engine.reportUnreadable('a sent message', plain, receipt);
    return [];
  });
}

/** Deletes the body, what was fetched, and, for a dead letter, the sent messages. */
export function deletePayloads({ db }: Engine, seq: number): void {
  db.run('DELETE FROM bodies WHERE seq = ?', seq);
  db.run('DELETE FROM sent WHERE seq = ?', seq);
  db.run('DELETE FROM entities WHERE seq = ?', seq);
  db.run('UPDATE events SET kept = 0 WHERE seq = ?', seq);
}

/** Writes nothing if there are no notes; a replay has already deleted earlier ones. */
export function writeNotes(
  { db, cipher }: Engine,
  seq: number,
  notes: readonly RecordedNote[] | undefined,
): void {
  const stored = notesToStore(notes);
  if (stored === undefined) return;
  db.run('INSERT OR REPLACE INTO notes (seq, json) VALUES (?, ?)', seq, cipher.encrypt(stored));
}

/** Notes that cannot be read are omitted and reported. */
export function readNotes(engine: Engine, { seq, receipt }: EventRow): RecordedNote[] {
  const row = engine.db.one('SELECT json FROM notes WHERE seq = ?', seq) as { json: Uint8Array } | undefined;
  if (row === undefined) return [];
  const notes = notesOf(engine.cipher.decrypt(row.json));
  if (typeof notes !== 'string') return notes;
  engine.reportUnreadable('the notes of an event', notes, receipt);
  return [];
}

export function deleteNotes({ db }: Engine, seq: number): void {
  db.run('DELETE FROM notes WHERE seq = ?', seq);
}

/** The assembled profile of a lane; undefined if there is none. */
export function readProfile(engine: Engine, destination: string, lane: string): Buffer | Loss | undefined {
  return readStored(
    engine,
    'SELECT state AS payload FROM profiles WHERE destination = ? AND lane = ?',
    destination,
    lane,
  );
}

/** The assembled profile of a lane as text; null if there is none or it cannot be read. */
export function profileText(engine: Engine, destination: string, lane: string): string | null {
  const state = readProfile(engine, destination, lane);
  return state === undefined || typeof state === 'string' ? null : state.toString('utf8');
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
 * A damaged profile is removed and reported.
 * @throws StoreError if the key of one is not configured: treated as absent, the next profile sent
 *   would overwrite its attributes at Adobe
 */
export function profiles(
  engine: Engine,
  request: { readonly destination: string; readonly lanes: readonly string[] },
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const lane of request.lanes) {
    const state = readProfile(engine, request.destination, lane);
    if (state === 'key-unknown')
      throw new StoreError('an assembled profile cannot be decrypted: is its encryption key missing?');
    if (typeof state === 'string') {
      engine.reportUnreadable(`the stored state of a customer at ${request.destination}`, state);
      if (state === 'damaged') writeProfile(engine, request.destination, lane, null);
    } else if (state !== undefined) found.set(lane, state.toString('utf8'));
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
  endRefresh(engine, seq);
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
  engine.log.clearLater();
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
  engine.log.clearLater();
  withSecureDelete(engine, () => deleteContent(engine, seq));
}

import { PAYLOAD_LOST } from '../../event-reasons.ts';
import type { WireClaimed } from './calls.ts';
import { isDamage } from './damage.ts';
import type { Engine } from './sqlite-engine.ts';
import { identityKey } from './index-keys.ts';
import type { Loss } from '../../payload-cipher.ts';
import { deletePayloads, readBody, readProfile, writeProfile } from './payloads.ts';
import { type EventRow, rowOfSeq, toStoredEvent } from './rows.ts';
import { finish } from './settle.ts';

/*
 * What is damaged is never sent: its event becomes a dead letter at once, and the lane goes on. A
 * payload whose key is not configured is not lost: its event waits, with its lane behind it.
 */

const BODY_DETAIL: Readonly<Record<Exclude<Loss, 'key-unknown'>, string>> = {
  damaged: 'its stored payload is damaged',
  'page-damaged': 'its stored payload is on a damaged page of the file',
  missing: 'its stored payload is missing',
};
const STATE_DETAIL: typeof BODY_DETAIL = {
  damaged: 'the stored state of its customer was damaged and has been removed',
  'page-damaged': 'the stored state of its customer is on a damaged page of the file',
  missing: 'the stored state of its customer is missing',
};

/** Makes the event a dead letter in the transaction of the claim that met it. */
function settleLost(engine: Engine, row: EventRow, detail: string): void {
  const { receipt, source, destination } = row;
  const { delivered } = toStoredEvent(row);
  const reason = PAYLOAD_LOST;
  finish(engine, row, { receipt, attempts: [], delivered, state: 'dead', reason, detail, sent: [] });
  engine.notify({ message: 'event moved to dead letters', receipt, source, destination, reason, detail });
}

/** Removes a damaged body, and forgets the identity, so that the event can be sent again. */
function forget(engine: Engine, { seq, identity }: EventRow): void {
  deletePayloads(engine, seq);
  engine.db.run('UPDATE events SET identity = NULL WHERE seq = ?', seq);
  if (identity !== null) engine.indexes.identities.delete(identityKey(identity), seq);
}

function loseBody(engine: Engine, row: EventRow, why: Exclude<Loss, 'key-unknown'>): void {
  settleLost(engine, row, BODY_DETAIL[why]);
  // What is on a damaged page is kept, because salvage may find it.
  if (why !== 'page-damaged') forget(engine, row);
}

/** The later events of the customer begin a new state. */
function loseProfile(engine: Engine, row: EventRow, why: Exclude<Loss, 'key-unknown'>): void {
  settleLost(engine, row, `${STATE_DETAIL[why]}; its own payload is intact`);
  if (why === 'damaged') writeProfile(engine, row.destination, row.lane as string, null);
}

function waitForKey(engine: Engine, { seq, receipt }: EventRow): void {
  engine.claims.markUnreadable(seq);
  engine.reportUnreadable(
    'the payload of a pending event or the state of its customer',
    'key-unknown',
    receipt,
  );
}

/**
 * The record of a head. One on a damaged page is excluded until the next start, so that the next
 * claim passes it by.
 * @throws the error of SQLite if the page is damaged
 */
export function readHead(engine: Engine, seq: number): EventRow | undefined {
  try {
    return rowOfSeq(engine, seq);
  } catch (error) {
    if (isDamage(error)) engine.claims.markUnreadable(seq);
    throw error;
  }
}

/**
 * The event with its payloads. Undefined if one of them cannot be read: the event is then a dead
 * letter, or excluded until the next start because a key is missing.
 */
export function readClaimed(
  engine: Engine,
  row: EventRow,
): { readonly event: WireClaimed; readonly body: Buffer } | undefined {
  const { lane } = row;
  const body = readBody(engine, row.seq) ?? 'missing';
  const profile = lane === null ? undefined : readProfile(engine, row.destination, lane);
  if (body === 'key-unknown' || profile === 'key-unknown') waitForKey(engine, row);
  else if (typeof body === 'string') loseBody(engine, row, body);
  else if (typeof profile === 'string') loseProfile(engine, row, profile);
  else return { event: Object.assign(toStoredEvent(row), { profile: profile?.toString('utf8') }), body };
  return undefined;
}

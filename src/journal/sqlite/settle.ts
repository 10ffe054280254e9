import type { Attempt, SentMessage, Settlement } from '../journal.ts';
import { addAlias } from './aliases.ts';
import type { BusyLane } from './claims.ts';
import { addBacklog, addCounts } from './counts.ts';
import type { Engine } from './engine.ts';
import { eraseEvent, eraseLane } from './erase.ts';
import { endClaim, leaveQueue } from './lanes.ts';
import { keepNotes } from './notes.ts';
import { readProfile, writeProfile } from './profiles.ts';
import type { AnswerOf } from './protocol.ts';
import { bitsOf, type QueueRow, queueRowOfReceipt } from './rows.ts';

/** Characters of Adobe's words that are kept with an attempt. */
const MAX_DETAIL = 2_048;

function recordAttempts({ db }: Engine, seq: number, attempts: readonly Attempt[]): void {
  for (const attempt of attempts) {
    db.run(
      `INSERT INTO attempts VALUES (?, (SELECT coalesce(max(n), 0) + 1 FROM attempts WHERE seq = ?), ?, ?, ?, ?, ?, ?, ?, ?)`,
      seq,
      seq,
      attempt.at,
      attempt.kind,
      attempt.outcome,
      attempt.status ?? null,
      attempt.detail?.slice(0, MAX_DETAIL) ?? null,
      attempt.xactionId ?? null,
      attempt.durationMs,
      attempt.batchSize,
    );
  }
}

function keepSent({ db, seal }: Engine, seq: number, sent: readonly SentMessage[]): void {
  for (const { kind, json } of sent) {
    db.run(
      'INSERT INTO sent (seq, kind, json) VALUES (?, ?, ?)',
      seq,
      kind,
      seal.close(Buffer.from(json, 'utf8')),
    );
  }
}

function postpone(
  { db }: Engine,
  row: QueueRow,
  settlement: Extract<Settlement, { state: 'pending' }>,
): void {
  db.run(
    'UPDATE events SET due_at = ?, failures = ?, charged = ?, detail = ?, delivered = ? WHERE seq = ?',
    settlement.dueAt,
    settlement.failures,
    settlement.charged,
    settlement.detail ?? null,
    bitsOf(settlement.delivered),
    row.seq,
  );
}

function finish(engine: Engine, row: QueueRow, settlement: Exclude<Settlement, { state: 'pending' }>): void {
  const { reason, detail } = { reason: undefined, detail: undefined, ...settlement };
  engine.db.run(
    'UPDATE events SET state = ?, reason = ?, detail = ?, settled_at = ?, delivered = ?, head = 0, replay = 0 WHERE seq = ?',
    settlement.state,
    reason ?? null,
    detail ?? null,
    settlement.now,
    bitsOf(settlement.delivered),
    row.seq,
  );
  if (settlement.state === 'dead') keepSent(engine, row.seq, settlement.sent);
  keepNotes(engine, row.seq, settlement.notes);
  addCounts(engine, row.source, { pending: -1, [settlement.state]: 1 });
  addBacklog(engine, row.destination, { pending: -1, replaying: -row.replay });
  leaveQueue(engine, row);
}

/**
 * Whether an alias came between the claim and this: the event is in another lane now, or the lane that is to be an alias has another
 * profile than the one that was put into this settlement.
 */
function isOvertaken(
  engine: Engine,
  row: QueueRow,
  held: BusyLane | undefined,
  { alias }: Settlement,
): boolean {
  return (
    (held !== undefined && held.lane !== row.lane) ||
    (alias !== undefined && (readProfile(engine, row.destination, alias.from) ?? null) !== alias.profile)
  );
}

/** Leaves an event pending, with its profile still to be sent: it is taken up again with what is known now. */
function holdBack(engine: Engine, row: QueueRow, settlement: Settlement): void {
  const { failures, charged } = { ...row, ...settlement };
  const dueAt = settlement.state === 'pending' ? settlement.dueAt : settlement.now;
  const delivered = settlement.delivered.filter((kind) => kind !== 'profile');
  postpone(engine, row, { ...settlement, state: 'pending', dueAt, failures, charged, delivered });
  engine.claimable.add(row.destination);
}

function record(engine: Engine, row: QueueRow, settlement: Settlement): void {
  if (settlement.state === 'pending') postpone(engine, row, settlement);
  else finish(engine, row, settlement);
  for (const lane of settlement.erase ?? []) eraseLane(engine, lane, row);
  for (const { lane, state } of settlement.profiles ?? []) writeProfile(engine, row.destination, lane, state);
  if (settlement.eraseOwn === true && settlement.state !== 'pending') eraseEvent(engine, row.seq);
  if (settlement.alias !== undefined) addAlias(engine, row.destination, settlement.alias);
}

export function settle(engine: Engine, settlement: Settlement): AnswerOf<'settle'> {
  const row = queueRowOfReceipt(engine, settlement.receipt);
  if (row === undefined) return { heldBack: false };
  const held = endClaim(engine, row);
  recordAttempts(engine, row.seq, settlement.attempts);
  if (row.state !== 'pending') return { heldBack: false };
  const heldBack = isOvertaken(engine, row, held, settlement);
  if (heldBack) holdBack(engine, row, settlement);
  else record(engine, row, settlement);
  return { heldBack };
}

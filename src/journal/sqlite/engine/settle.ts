import type { Attempt, Settlement } from '../../journal.ts';
import { bitsOf } from '../../message-kinds.ts';
import { attemptRow, DELIVERED } from '../../sent-in.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import type { BusyLane } from './claim-registry.ts';
import { addBacklog, addCounts } from './counts.ts';
import { writeEntities } from './entity-table.ts';
import { countAttempts, countDelivered, deliveryTime } from './landing-counts.ts';
import { settleRefresh } from './refresh-table.ts';
import type { Engine } from './sqlite-engine.ts';
import { addAlias, endClaim, leaveQueue } from './lanes.ts';
import {
  eraseEvent,
  eraseLane,
  insertSentMessages,
  profileText,
  writeNotes,
  writeProfile,
} from './payloads.ts';
import { SWEPT_BODIES } from './sweep-schema.ts';
import { type QueueRow, queueRowOfReceipt } from './rows.ts';
import { watch } from './watch-table.ts';

/** `sent_in` with further entries; unchanged if there are none. */
const APPENDED = "coalesce(sent_in || ' ' || ?6, ?6, sent_in)";

/** Attempts that did not deliver their message keep their details. */
function recordFailures({ db }: Engine, seq: number, attempts: readonly Attempt[]): void {
  for (const attempt of attempts) {
    if (attempt.outcome === DELIVERED) continue;
    const row = attemptRow(attempt);
    db.run(
      `INSERT INTO attempts VALUES (?, (SELECT coalesce(max(n), 0) + 1 FROM attempts WHERE seq = ?),
         ?, ?, ?, ?, ?, ?, ?, ?)`,
      seq,
      seq,
      row.at,
      row.kind,
      row.outcome,
      row.status,
      row.detail,
      row.xaction_id,
      row.duration_ms,
      row.batch_size,
    );
  }
}

/** What is added to `sent_in`; undefined if nothing was delivered. */
function sentIn({ requests }: Engine, attempts: readonly Attempt[]): string | undefined {
  let entries: string | undefined;
  for (const attempt of attempts) {
    if (attempt.outcome !== DELIVERED) continue;
    const entry = requests.entryFor(attempt);
    entries = entries === undefined ? entry : `${entries} ${entry}`;
  }
  return entries;
}

function postpone(
  engine: Engine,
  row: QueueRow,
  settlement: Extract<Settlement, { state: 'pending' }>,
): void {
  const dueAt = engine.now() + settlement.dueIn;
  engine.db.run(
    `UPDATE events SET due_at = ?1, failures = ?2, charged = ?3, detail = ?4, delivered = ?5,
       sent_in = ${APPENDED} WHERE seq = ?7`,
    dueAt,
    settlement.failedAttempts,
    settlement.ownFaultCount,
    settlement.detail ?? null,
    bitsOf(settlement.delivered),
    sentIn(engine, settlement.attempts) ?? null,
    row.seq,
  );
  engine.frontiers.add(row, { seq: row.seq, dueAt });
}

/** Moves a pending event to its final state. */
export function finish(
  engine: Engine,
  row: QueueRow,
  settlement: Exclude<Settlement, { state: 'pending' }>,
): void {
  const { reason, detail } = { reason: undefined, detail: undefined, ...settlement };
  const isDelivered = settlement.state === 'delivered';
  const settledAt = isDelivered ? deliveryTime(engine, row.destination) : engine.now();
  engine.db.run(
    `UPDATE events SET state = ?1, reason = ?2, detail = ?3, settled_at = ?4, delivered = ?5, head = 0,
       replay = 0, sent_in = ${APPENDED}, late = seq <= ${SWEPT_BODIES} WHERE seq = ?7`,
    settlement.state,
    reason ?? null,
    detail ?? null,
    settledAt,
    bitsOf(settlement.delivered),
    sentIn(engine, settlement.attempts) ?? null,
    row.seq,
  );
  if (isDelivered) {
    countDelivered(engine, row, settledAt);
    if (settlement.watch === true) watch(engine, row, settledAt);
  }
  if (settlement.state === 'dead') insertSentMessages(engine, row.seq, settlement.sent);
  writeNotes(engine, row.seq, settlement.notes);
  addCounts(engine, row.source, { pending: -1, [settlement.state]: 1 });
  addBacklog(engine, row.destination, { pending: -1, replaying: -row.replay });
  leaveQueue(engine, row);
  // Only replayed events are pending because of a refresh.
  if (settlement.enrichment !== undefined || row.replay === 1) settleRefresh(engine, row, settlement);
}

/**
 * Whether an alias made the settlement obsolete after the claim: the event is in another lane now,
 * or the lane that is to become an alias has a different profile than the settlement is based on.
 */
function isStale(
  engine: Engine,
  row: QueueRow,
  claimed: BusyLane | undefined,
  { alias }: Settlement,
): boolean {
  return (
    (claimed !== undefined && claimed.lane !== row.lane) ||
    (alias !== undefined && profileText(engine, row.destination, alias.from) !== alias.profile)
  );
}

/**
 * Records which messages a stale settlement has delivered. The profile is not one of them: it was
 * based on a state that is no longer stored.
 */
function recordDelivered({ db }: Engine, { seq }: QueueRow, { delivered }: Settlement): void {
  const bits = bitsOf(delivered.filter((kind) => kind !== 'profile'));
  if (bits !== 0) db.run('UPDATE events SET delivered = delivered | ? WHERE seq = ?', bits, seq);
}

/** @param destination where the event was claimed: a profile belongs there, also after a reroute */
function applySettlement(engine: Engine, row: QueueRow, destination: string, settlement: Settlement): void {
  if (settlement.state === 'pending') postpone(engine, row, settlement);
  else finish(engine, row, settlement);
  const { entities } = settlement.enrichment ?? {};
  if (entities !== undefined) writeEntities(engine, row.seq, entities);
  for (const lane of settlement.erase ?? []) eraseLane(engine, lane, row);
  for (const { lane, state } of settlement.profiles ?? []) writeProfile(engine, destination, lane, state);
  if (settlement.eraseOwn === true && settlement.state !== 'pending') eraseEvent(engine, row.seq);
  if (settlement.alias !== undefined) addAlias(engine, row.destination, settlement.alias);
}

/** @returns whether the settlement is stale */
function settleOne(engine: Engine, token: string, settlement: Settlement): boolean {
  const { receipt } = settlement;
  const row = engine.claims.heldRow(receipt, token) ?? queueRowOfReceipt(engine, receipt);
  if (row === undefined) return false;
  const { seq } = row;
  const isHeld = engine.claims.isHeld(seq, token);
  // The outcome of an earlier event was forgotten (recoverEngine), so that is the head again.
  const isEarly = row.head === 0 && engine.claims.mayBeEarly(seq);
  const claimed = isHeld ? endClaim(engine, row) : undefined;
  if (row.state !== 'pending') return false;
  countAttempts(engine, row, claimed?.destination ?? row.destination, settlement.attempts);
  if (isHeld && !isEarly && !isStale(engine, row, claimed, settlement)) {
    recordFailures(engine, seq, settlement.attempts);
    applySettlement(engine, row, claimed?.destination ?? row.destination, settlement);
    return false;
  }
  recordDelivered(engine, row, settlement);
  if (isHeld) {
    engine.frontiers.add(row, { seq, dueAt: row.due_at });
    engine.claimable.add(row.destination);
  }
  return true;
}

export function settle(engine: Engine, { token, settlements }: RequestOf<'settle'>): AnswerOf<'settle'> {
  const stale = settlements.filter((settlement) => settleOne(engine, token, settlement));
  return { stale: stale.map(({ receipt }) => receipt) };
}

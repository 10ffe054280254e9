import type { Attempt, Settlement } from '../../journal.ts';
import { bitsOf } from '../../message-kinds.ts';
import { attemptRow, DELIVERED } from '../../sent-in.ts';
import { notesToStore } from '../../stored-notes.ts';
import type { HeldClaim } from '../queue/held-claim.ts';
import type { Param } from '../sessions/session.ts';
import type { PostgresEngine } from './engine.ts';
import { JoinedPayloads } from './joined-payloads.ts';
import { askedColumns } from './landing-changes.ts';
import { slotOf } from './lane-keys.ts';
import type { NumberedRequest, RequestRows } from './request-rows.ts';
import { ENTRIES, FAILED_ATTEMPTS, FENCES, REQUESTS, SENT } from './settle-statement.ts';
import { STATE_CODES } from './stored-events.ts';
import { storedText, storedTextOrNull } from './stored-text.ts';

/** A settlement of an event that is claimed. */
export interface HeldSettlement {
  readonly settlement: Settlement;
  readonly claim: HeldClaim;
}

/** The slots of the claims, each with the epoch of the claim, numbered from 1. */
class Fences {
  readonly rows: { readonly destination: string; readonly slot: number; readonly epoch: number }[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf({ destination, laneKey, epoch }: HeldClaim): number {
    const slot = slotOf(laneKey);
    const key = `${slot} ${epoch} ${destination}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.rows.push({ destination, slot, epoch });
    this.#numbers.set(key, this.rows.length);
    return this.rows.length;
  }
}

const WAITS_FOR_NOTHING = { due_at: null, failures: null, charged: null };

/** What is written of the last state: a final one, or that the event waits. */
function stateColumns(settlement: Settlement, now: number) {
  const { detail } = { detail: undefined, ...settlement };
  const state = STATE_CODES[settlement.state];
  if (settlement.state === 'pending') {
    const { dueIn, failedAttempts: failures, ownFaultCount: charged } = settlement;
    return { state, detail: storedTextOrNull(detail), reason: null, due_at: now + dueIn, failures, charged };
  }
  const reason = settlement.state === 'delivered' ? undefined : settlement.reason;
  return { state, detail: storedTextOrNull(detail), reason: storedTextOrNull(reason), ...WAITS_FOR_NOTHING };
}

export interface SettleInput {
  /** The parameters of SETTLE but the stream. */
  readonly params: readonly Param[];
  readonly requests: readonly NumberedRequest[];
}

/**
 * @param withProfiles whether the profiles are written too, of which a settlement has at most one
 *   then
 * @param now the time of the settlements
 */
export function settleInput(
  { cipher, replica }: Pick<PostgresEngine, 'cipher' | 'replica'>,
  requestRows: RequestRows,
  held: readonly HeldSettlement[],
  { withProfiles, now }: { readonly withProfiles: boolean; readonly now: number },
): SettleInput {
  const payloads = new JoinedPayloads();
  const fences = new Fences();
  const requests = new Set<NumberedRequest>();
  const failed: Parameters<typeof FAILED_ATTEMPTS.params>[0][number][] = [];
  const sent: Parameters<typeof SENT.params>[0][number][] = [];

  const addAttempts = (entry: number, seq: number, attempts: readonly Attempt[]): void => {
    for (const attempt of attempts) {
      if (attempt.outcome === DELIVERED) {
        const row = requestRows.rowOf(attempt.request);
        if (!requestRows.isStored(row)) requests.add(row);
        continue;
      }
      const row = attemptRow(attempt);
      const [outcome, detail] = [storedText(row.outcome), storedTextOrNull(row.detail)];
      failed.push({ ...row, entry, seq, outcome, detail, xaction_id: storedTextOrNull(row.xaction_id) });
    }
  };
  const addSent = (entry: number, seq: number, settlement: Settlement): void => {
    if (settlement.state !== 'dead') return;
    for (const [n, { kind, json }] of settlement.sent.entries()) {
      const { at, length } = payloads.add(cipher.encrypt(Buffer.from(json, 'utf8')));
      sent.push({ entry, seq, n, kind, json_at: at, json_length: length });
    }
  };
  const profileColumns = ({ profiles }: Settlement) => {
    const [profile] = withProfiles ? (profiles ?? []) : [];
    if (profile === undefined) return { profile_lane: null, profile_at: null, profile_length: null };
    const { lane, state } = profile;
    const sealed = state === null ? undefined : payloads.add(cipher.encrypt(Buffer.from(state, 'utf8')));
    return {
      profile_lane: storedText(lane),
      profile_at: sealed?.at ?? null,
      profile_length: sealed?.length ?? null,
    };
  };
  const noteColumns = (settlement: Settlement) => {
    const plain = settlement.state === 'pending' ? undefined : notesToStore(settlement.notes);
    const sealed = plain && payloads.add(cipher.encrypt(plain));
    return { notes_at: sealed?.at ?? null, notes_length: sealed?.length ?? null };
  };

  const entries = held.map(({ settlement, claim }, index) => {
    addAttempts(index + 1, claim.seq, settlement.attempts);
    addSent(index + 1, claim.seq, settlement);
    return {
      fence: fences.numberOf(claim),
      is_replay: claim.isReplay,
      stream: claim.stream,
      pos: claim.pos,
      claimed: claim.receipt,
      delivered: bitsOf(settlement.delivered),
      sent_in: storedTextOrNull(requestRows.sentIn(settlement.attempts)),
      ...stateColumns(settlement, now),
      ...noteColumns(settlement),
      ...profileColumns(settlement),
      watch: settlement.state === 'delivered' && settlement.watch === true,
      ...askedColumns(settlement.attempts),
    };
  });
  const requestInput = [...requests].map((row) => ({ ...row, xaction: storedTextOrNull(row.xaction) }));
  return {
    params: [
      replica,
      now,
      payloads.joined(),
      ...FENCES.params(fences.rows),
      ...ENTRIES.params(entries),
      ...FAILED_ATTEMPTS.params(failed),
      ...REQUESTS.params(requestInput),
      ...SENT.params(sent),
    ],
    requests: [...requests],
  };
}

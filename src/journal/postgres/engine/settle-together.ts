import type { Settlement } from '../../journal.ts';
import { bitsOf } from '../../message-kinds.ts';
import type { ClaimEnd, HeldClaim } from '../queue/held-claim.ts';
import type { Param, Session, Statement } from '../sessions/session.ts';
import type { PostgresEngine } from './engine.ts';
import { askedColumns } from './landing-changes.ts';
import type { NumberedRequest, RequestRows } from './request-rows.ts';
import { settleInput } from './settle-input.ts';
import { SETTLE, SETTLE_STALE, STALE } from './settle-statement.ts';

/** A settlement and what became of it. */
export interface Settling {
  readonly settlement: Settlement;
  /** Undefined if the event is not claimed under the token. */
  readonly claim: HeldClaim | undefined;
  /** `ignored`: the event is not pending, or unknown. */
  outcome?: 'recorded' | 'ignored' | 'stale';
  /** What became of the claim; undefined if there is none. */
  end?: ClaimEnd;
}

type Held = Settling & { readonly claim: HeldClaim };

/** Where statements are executed: one by one, or in a transaction. */
export interface SettleConnection extends Pick<Session, 'query'> {
  /** The same with the stream of the connection as `$1`. */
  queryAs<Row>(statement: Statement, params: readonly Param[]): Promise<readonly Row[]>;
}

/** The connection of a transaction. */
export function inTransaction(session: Session): SettleConnection {
  return {
    query: (statement, params) => session.query(statement, params),
    queryAs: (statement, params) => session.query(statement, [session.stream, ...params]),
  };
}

/** Each statement is a transaction of its own. */
export function oneByOne({ sessions }: Pick<PostgresEngine, 'sessions'>): SettleConnection {
  return {
    query: (statement, params) => sessions.query('settle', statement, params),
    queryAs: (statement, params) => sessions.queryAs('settle', statement, params),
  };
}

const RECEIPT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

/**
 * Of settlements that cannot be applied: those of pending events are stale. They record which
 * messages were delivered, but not the profile, which was based on a state that is no longer
 * stored.
 */
export async function settleStale(
  { now }: Pick<PostgresEngine, 'now'>,
  connection: Pick<SettleConnection, 'queryAs'>,
  settlings: readonly Settling[],
): Promise<void> {
  const possible = settlings.filter(({ settlement }) => RECEIPT.test(settlement.receipt));
  const rows = possible.map(({ claim, settlement: { receipt, delivered, attempts } }) => ({
    receipt,
    claimed_at: claim?.destination ?? null,
    delivered: bitsOf(delivered.filter((kind) => kind !== 'profile')),
    ...askedColumns(attempts),
  }));
  const pending =
    rows.length === 0
      ? []
      : await connection.queryAs<{ ord: number }>(SETTLE_STALE, [now(), ...STALE.params(rows)]);
  const stale = new Set(pending.map(({ ord }) => possible[ord - 1]));
  for (const settling of settlings) {
    const isStale = stale.has(settling);
    settling.outcome = isStale ? 'stale' : 'ignored';
    if (settling.claim !== undefined) settling.end = { kind: isStale ? 'lost' : 'left' };
  }
}

/**
 * Applies settlements that change nothing but their events and at most one profile each, and says
 * what became of them.
 * @param withProfiles false if the profiles are written later
 * @returns the requests that were stored
 */
export async function settleTogether(
  engine: PostgresEngine,
  requestRows: RequestRows,
  connection: SettleConnection,
  settlings: readonly Settling[],
  withProfiles = true,
): Promise<readonly NumberedRequest[]> {
  const held = settlings.filter((settling): settling is Held => settling.claim !== undefined);
  const now = engine.now();
  const { params, requests } = settleInput(engine, requestRows, held, { withProfiles, now });
  const applied = held.length === 0 ? [] : await connection.queryAs<{ ord: number }>(SETTLE, params);
  const isApplied = new Set<Settling>();
  for (const { ord } of applied) {
    const settling = held[ord - 1] as Held;
    const { settlement } = settling;
    isApplied.add(settling);
    settling.outcome = 'recorded';
    settling.end =
      settlement.state === 'pending' ? { kind: 'waiting', dueAt: now + settlement.dueIn } : { kind: 'left' };
  }
  const others = settlings.filter((settling) => !isApplied.has(settling));
  if (others.length > 0) await settleStale(engine, connection, others);
  return requests;
}

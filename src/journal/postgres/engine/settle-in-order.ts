import type { Settlement } from '../../journal.ts';
import type { HeldClaim } from '../queue/held-claim.ts';
import type { Session } from '../sessions/session.ts';
import type { PostgresEngine } from './engine.ts';
import { recordEnrichments } from './enrichment-records.ts';
import { addAlias, lockAliases, lockLane } from './lane-aliases.ts';
import { eraseEvent, eraseLane } from './lane-erasure.ts';
import type { NumberedRequest, RequestRows } from './request-rows.ts';
import { inTransaction, settleStale, settleTogether, type Settling } from './settle-together.ts';
import { profileText, writeProfiles } from './stored-profiles.ts';

/*
 * Settlements that change more than their event and its customer's profile are applied one by one,
 * in the order of the array, because what one of them changes decides about the next: a merge makes
 * the settlements of the merged lane stale.
 */

/** Whether a settlement has to be applied by itself. */
export function isFarReaching({ alias, erase, eraseOwn, profiles }: Settlement): boolean {
  return (
    alias !== undefined ||
    eraseOwn === true ||
    (erase !== undefined && erase.length > 0) ||
    (profiles !== undefined && profiles.length > 1)
  );
}

/** Consecutive settlements that can be applied together; a far-reaching one is alone. */
function partsOf(settlings: readonly Settling[]): Settling[][] {
  const parts: Settling[][] = [];
  let open: Settling[] | undefined;
  for (const settling of settlings) {
    const isAlone = isFarReaching(settling.settlement);
    if (isAlone || open === undefined) parts.push((open = []));
    open.push(settling);
    if (isAlone) open = undefined;
  }
  return parts;
}

/** What a transaction of settlements did beside their outcomes. */
export interface InOrder {
  readonly requests: readonly NumberedRequest[];
  /** Destinations at which events were moved to another lane. */
  readonly moved: ReadonlySet<string>;
}

/** @returns whether events were moved to another lane */
async function applyRest(
  engine: PostgresEngine,
  session: Session,
  claim: HeldClaim,
  settlement: Settlement,
): Promise<boolean> {
  const { destination } = claim;
  for (const lane of settlement.erase ?? []) await eraseLane(session, lane, claim);
  await writeProfiles(engine, session, destination, settlement.profiles ?? []);
  if (settlement.eraseOwn === true && settlement.state !== 'pending') await eraseEvent(session, claim);
  return settlement.alias !== undefined && (await addAlias(session, destination, settlement.alias));
}

/**
 * Whether the lane that is to become an alias has another profile than the settlement is based on.
 */
async function isOutdated(
  engine: PostgresEngine,
  session: Session,
  { destination }: HeldClaim,
  { alias }: Settlement,
): Promise<boolean> {
  if (alias === undefined) return false;
  await lockLane(session, destination, alias.from);
  return (await profileText(engine, session, destination, alias.from)) !== alias.profile;
}

async function settleAlone(
  engine: PostgresEngine,
  requestRows: RequestRows,
  session: Session,
  settling: Settling,
): Promise<InOrder> {
  const { claim, settlement } = settling;
  const connection = inTransaction(session);
  const nothing = { requests: [], moved: new Set<string>() };
  if (claim !== undefined && (await isOutdated(engine, session, claim, settlement))) {
    await settleStale(engine, connection, [settling]);
    // The event may have been rerouted too: its lane is read again. One without a lane has
    // nothing behind it, and a claim notices if it has left.
    if (settling.outcome === 'stale') settling.end = { kind: claim.lane === null ? 'released' : 'lost' };
    return nothing;
  }
  const requests = await settleTogether(engine, requestRows, connection, [settling], false);
  if (claim === undefined || settling.outcome !== 'recorded') return { ...nothing, requests };
  // Before the erasure, which may be of the event itself.
  await recordEnrichments(engine, session, [settling]);
  const isMoved = await applyRest(engine, session, claim, settlement);
  return { requests, moved: new Set(isMoved ? [claim.destination] : []) };
}

/** Applies settlements in their order, in the transaction of the session. */
export async function settleInOrder(
  engine: PostgresEngine,
  requestRows: RequestRows,
  session: Session,
  settlings: readonly Settling[],
): Promise<InOrder> {
  if (settlings.some(({ settlement }) => settlement.alias !== undefined)) await lockAliases(session);
  const requests: NumberedRequest[] = [];
  const moved = new Set<string>();
  for (const part of partsOf(settlings)) {
    const [first] = part as [Settling];
    if (!isFarReaching(first.settlement)) {
      requests.push(...(await settleTogether(engine, requestRows, inTransaction(session), part)));
      await recordEnrichments(engine, session, part);
      continue;
    }
    const done = await settleAlone(engine, requestRows, session, first);
    requests.push(...done.requests);
    for (const destination of done.moved) moved.add(destination);
  }
  return { requests, moved };
}

import type { HeldClaim } from '../queue/held-claim.ts';
import type { Session } from '../sessions/session.ts';
import type { PostgresEngine } from './engine.ts';
import { ENTITIES, RECORD_REFRESHES, REFRESHES, storeEntities } from './enrichment-statements.ts';
import { JoinedPayloads } from './joined-payloads.ts';
import type { Settling } from './settle-together.ts';

/* What settlements record about the enrichment of their events, in the same transaction. */

type Recorded = Settling & { readonly claim: HeldClaim };

async function recordEntities(
  { cipher }: Pick<PostgresEngine, 'cipher'>,
  session: Session,
  settlings: readonly Recorded[],
): Promise<void> {
  const fetched = settlings.flatMap(({ claim, settlement: { enrichment } }) =>
    enrichment?.entities === undefined ? [] : [{ ...claim, json: enrichment.entities }],
  );
  for (const [day, of] of Map.groupBy(fetched, (each) => each.day)) {
    const payloads = new JoinedPayloads();
    const rows = of.map(({ seq, source, destination, json }) => {
      const { at, length } = payloads.add(cipher.encrypt(Buffer.from(json, 'utf8')));
      return { seq, source, destination, entities_at: at, entities_length: length };
    });
    await session.query(storeEntities(day), [session.stream, payloads.joined(), ...ENTITIES.params(rows)]);
  }
}

function refreshRow({ claim, settlement: { state, enrichment } }: Recorded, now: number) {
  const isDelivered = state === 'delivered';
  const missing = isDelivered ? enrichment?.missing : undefined;
  const refreshed = isDelivered ? enrichment?.refreshed : undefined;
  const { receipt, day, seq, isReplay, source, destination, lane, laneKey } = claim;
  return {
    receipt,
    day,
    seq,
    is_replay: isReplay,
    source,
    destination,
    lane,
    lane_key: laneKey,
    is_missing: missing?.customer === true || missing?.bill === true,
    customer: missing?.customer === true,
    bill: missing?.bill === true,
    due_at: now + (missing?.dueIn ?? 0),
    takes_over: missing?.customer === true || refreshed?.customer === true,
  };
}

async function recordRefreshes(session: Session, settlings: readonly Recorded[], now: number): Promise<void> {
  const rows = settlings
    .filter(({ settlement }) => settlement.state !== 'pending')
    .map((settling) => refreshRow(settling, now))
    .filter((row) => row.is_missing || row.takes_over || row.is_replay);
  if (rows.length > 0) await session.query(RECORD_REFRESHES, [now, ...REFRESHES.params(rows)]);
}

/** Those that were not applied record nothing. */
export async function recordEnrichments(
  engine: Pick<PostgresEngine, 'cipher' | 'now'>,
  session: Session,
  settlings: readonly Settling[],
): Promise<void> {
  const recorded = settlings.filter(
    (settling): settling is Recorded =>
      settling.settlement.enrichment !== undefined &&
      settling.outcome === 'recorded' &&
      settling.claim !== undefined,
  );
  if (recorded.length === 0) return;
  await recordEntities(engine, session, recorded);
  await recordRefreshes(session, recorded, engine.now());
}

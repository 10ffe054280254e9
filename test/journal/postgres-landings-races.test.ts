import { describe, expect, it } from 'vitest';
import type { Landings } from '../../src/journal/journal.ts';
import { removeOldSpans } from '../../src/journal/postgres/maintenance/old-spans.ts';
import { sha256, T0 } from '../contract/samples.ts';
import { delivery, type LandingReplica, landingsRig, SPAN } from './postgres-landings-rig.ts';

const ROUNDS = 25;
const EVENTS = 24;

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Call = (replica: LandingReplica, receipts: readonly string[]) => Promise<unknown>;

const CALLS: readonly Call[] = [
  ({ log }, receipts) => log.replay({ filter: { receipts }, asNew: false, by: 'olga' }),
  ({ log }, receipts) => log.discard({ receipts }, 'olga'),
  ({ landings }, receipts) =>
    landings.doubt(
      'aep',
      receipts.map((receipt) => ({ receipt, code: 'not-in-aep', detail: '' })),
    ),
  ({ landings }, receipts) => landings.clearDoubts(receipts),
  ({ landings, clock }, receipts) =>
    landings.refuse(
      'aep',
      receipts.map((receipt) => ({ receipt, kind: 'event', idSuffix: '', refusedAt: clock.now, detail: '' })),
    ),
  ({ log }) => log.refresh({ routes: [{ source: 'acme', destination: 'aep' }], running: 3 }),
  ({ engine }) => removeOldSpans(engine),
];

function confirmOf(
  { landings, clock }: LandingReplica,
  random: () => number,
): ReturnType<Landings['confirm']> {
  const spans = Math.floor((clock.now - T0) / SPAN);
  const from = Math.floor(random() * spans);
  const until = from + Math.floor(random() * (spans - from + 1));
  return landings.confirm('aep', { from: T0 + from * SPAN, until: T0 + until * SPAN, since: clock.now });
}

describe('what replicas settle, confirm, doubt, refuse and replay at the same time', () => {
  it.each([1, 2])('is counted exactly as it is (seed %i)', async (seed) => {
    const { replicaOf, put, sql, differences } = await landingsRig();
    const random = randomNumbers(seed);
    const replicas = [await replicaOf(), await replicaOf()] as const;
    const receipts = await put(
      ...Array.from({ length: EVENTS }, (_, n) => (n % 3 === 0 ? {} : { lane: sha256(`lane ${n}`) })),
    );
    const chosen = () => receipts.filter(() => random() < 0.3);
    const settle = async ({ claim, settle: call }: LandingReplica): Promise<void> => {
      const pending = await sql(`SELECT receipt FROM queue WHERE destination = 'aep'`);
      const due = pending.map(({ receipt }) => receipt as string).filter(() => random() < 0.8);
      if (due.length === 0) return;
      await claim(...due);
      const missing = { customer: true, bill: true, dueIn: 0 };
      await call(
        'one',
        due.map((receipt) => ({
          ...delivery(receipt),
          ...(random() < 0.2 ? { enrichment: { missing } } : {}),
        })),
      );
    };
    /** At the end everything can have been replayed. */
    let mostLanded = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { clock } of replicas) clock.now += random() * 2 * SPAN;
      // One that is behind, within the range that the other one confirms.
      replicas[0].clock.now -= random() * SPAN;
      for (const { clock } of replicas) clock.now = Math.floor(clock.now);
      const other = () => (replicas[1].clock.now > replicas[0].clock.now ? replicas[1] : replicas[0]);
      await Promise.all([
        settle(replicas[0]),
        confirmOf(other(), random),
        ...CALLS.filter(() => random() < 0.6).map((call) => call(replicas[random() < 0.5 ? 0 : 1], chosen())),
      ]);
      expect([round, await differences()]).toEqual([round, []]);
      const [landed] = await sql('SELECT coalesce(sum(landed), 0)::int AS n FROM landings');
      mostLanded = Math.max(mostLanded, Number(landed?.['n']));
    }
    expect(mostLanded).toBeGreaterThan(0);
  });
});

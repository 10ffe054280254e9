import { SLOTS } from '../../../../src/journal/fleet.ts';
import type { RelayProcess } from '../../../helpers/relay-process.ts';
import { until } from '../../../helpers/until.ts';
import type { Findings } from '../findings.ts';
import type { Ledger } from '../relays-under-test.ts';

const STATES = ['accepted', 'pending', 'delivered', 'ignored', 'dead'] as const;

/** The sum of a metric over replicas, as the `sum()` of Prometheus gives it. */
function sumOf(exports: readonly string[], name: string, label = ''): number {
  const series = new RegExp(`^${name}(?:\\{[^}]*${label}[^}]*\\})? (\\S+)$`, 'gmu');
  return exports
    .flatMap((text) => [...text.matchAll(series)])
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

async function metricsOf(relay: RelayProcess): Promise<string> {
  return String((await relay.admin('/metrics')).body);
}

async function slotsOf(relay: RelayProcess): Promise<number[]> {
  const { body } = await relay.admin('/admin/v1/replicas');
  const { replicas = [] } = body as { replicas?: { slots: Record<string, number> }[] };
  return replicas.map(({ slots }) => slots['acme-aep'] ?? 0);
}

/** Replicas that have settled everything: none is stuck, and together they show the ledger once. */
export async function checkReplicas(
  relays: readonly RelayProcess[],
  ledger: Ledger,
  findings: Findings,
): Promise<void> {
  const fair = Math.floor(SLOTS / relays.length);
  let shares: number[] = [];
  const isFair = async (): Promise<boolean> => {
    shares = await slotsOf(relays[0]!);
    return (
      shares.length === relays.length &&
      shares.every((share) => share >= fair) &&
      shares.reduce((sum, share) => sum + share, 0) === SLOTS
    );
  };
  await until(isFair).catch(() => findings.add(`the replicas own ${shares.join(', ')} of ${SLOTS} slots`));
  for (const relay of relays)
    await until(async () => (await relay.admin('/readyz')).status === 200).catch(() =>
      findings.add('a replica is not ready'),
    );
  const wanted = new Map<string, number>([
    ['relay_store_leader', 1],
    ['relay_replicas', relays.length],
    ['relay_slots_owned', SLOTS],
    ['relay_pending', ledger.pending],
  ]);
  let differences: string[] = [];
  // The metrics of the store are read now and then, and by the leader alone.
  const isEqual = async (): Promise<boolean> => {
    const exports = await Promise.all(relays.map(metricsOf));
    const sums = new Map([...wanted.keys()].map((name) => [name, sumOf(exports, name)]));
    for (const state of STATES) {
      wanted.set(`relay_events ${state}`, ledger[state]);
      sums.set(`relay_events ${state}`, sumOf(exports, 'relay_events', `state="${state}"`));
    }
    differences = [...wanted].flatMap(([name, value]) =>
      sums.get(name) === value ? [] : [`${name}: the sum is ${sums.get(name)}, expected ${value}`],
    );
    return differences.length === 0;
  };
  await until(isEqual).catch(() => differences.forEach((text) => findings.add(text)));
}

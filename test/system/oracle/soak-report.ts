import type { Harness } from './harness.ts';
import type { Recovery } from './replicas/recovery.ts';
import type { ReplicaSoakResult } from './replicas/replica-soak.ts';
import type { SoakResult } from './soak-run.ts';

function medianAndMax(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const quantile = (share: number): number =>
    Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return `median ${quantile(0.5)} ms, max ${quantile(1)} ms`;
}

function hitsOf(hitsByKind: ReadonlyMap<string, number>): string {
  const hits = [...hitsByKind].toSorted(([, a], [, b]) => b - a);
  return `${hits.reduce((total, [, times]) => total + times, 0)} requests: ${hits.map(([kind, times]) => `${kind} ${times}`).join(', ')}`;
}

/** Prints what every soak has. @param lines what only this one has */
function printReport(
  result: Pick<SoakResult, 'ledger' | 'totals' | 'findings'> & {
    readonly harness: Pick<Harness<unknown>, 'sender' | 'recorder' | 'expectations' | 'simulator'>;
  },
  lines: readonly (readonly [string, string])[],
  { seed, minutes }: { readonly seed: number; readonly minutes: number },
): boolean {
  const { ledger, totals, findings } = result;
  const { sender, recorder, expectations, simulator } = result.harness;
  const { accepted, pending, delivered, ignored, dead } = ledger;
  const { overlapping, sameKeyInRequest } = simulator.stats();
  console.log(`
ledger      accepted ${accepted} = pending ${pending} + delivered ${delivered} + ignored ${ignored} + dead ${dead}
events      ${expectations.all().length} unique, ${sender.counts.posts} posts
duplicates  ${sender.counts.duplicatesAnswered} answered as duplicates
responses   ${sender.counts.lost} lost, ${sender.counts.refused} refused with 429 or 503
${lines.map(([name, text]) => `${name.padEnd(12)}${text}`).join('\n')}
landed      ${recorder.landed} messages, ${recorder.resent} of them more than once
order       ${overlapping} overlapping, ${sameKeyInRequest} in one request
lost        ${totals.lost}
result      ${findings.length === 0 ? 'all guarantees were kept' : `${findings.length} findings`} (seed ${seed}, ${minutes.toFixed(1)} minutes)`);
  for (const finding of findings) console.log(`  - ${finding.slice(0, 2_000)}`);
  return findings.length === 0;
}

/** Prints the ledger, the counts and the findings. @returns whether there are no findings */
export function printSoakReport(result: SoakResult, seed: number, minutes: number): boolean {
  const { lifecycle } = result.harness;
  return printReport(
    result,
    [
      ['stops', `${lifecycle.kills} SIGKILL, ${lifecycle.shutdowns} SIGTERM`],
      ['starts', `${lifecycle.startupTimesMs.length}: ${medianAndMax(lifecycle.startupTimesMs)}`],
      ['faults', hitsOf(result.faults.hitsByKind)],
    ],
    { seed, minutes },
  );
}

function recoveryText(recoveries: readonly Recovery[]): string {
  const of = (name: 'gapMs' | 'acceptingMs' | 'landingMs'): string =>
    medianAndMax(recoveries.map((recovery) => recovery[name]));
  return `${recoveries.length} alone: no 200 for ${of('gapMs')}; all accepted again after ${of('acceptingMs')}, all landed after ${of('landingMs')}`;
}

/** The same for replicas on PostgreSQL. */
export function printReplicaReport(result: ReplicaSoakResult, seed: number, minutes: number): boolean {
  const { injected, recoveries, adobeFaults, harness } = result;
  const kinds = [...Map.groupBy(injected, ({ kind }) => kind)].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  const alone = Map.groupBy(recoveries, ({ fault }) => fault.kind);
  const { startupTimesMs } = harness.lifecycle;
  return printReport(
    result,
    [
      ['starts', `${startupTimesMs.length}: ${medianAndMax(startupTimesMs)}`],
      ['faults', `${injected.length}: ${kinds.map(([kind, list]) => `${kind} ${list.length}`).join(', ')}`],
      ...[...alone].map(([kind, list]) => ['recovery', `${kind}: ${recoveryText(list)}`] as const),
      ...(adobeFaults === undefined ? [] : [['Adobe', hitsOf(adobeFaults.hitsByKind)] as const]),
    ],
    { seed, minutes },
  );
}

import type { SoakResult } from './soak-run.ts';

function medianAndMax(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const quantile = (share: number): number =>
    Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return `median ${quantile(0.5)} ms, max ${quantile(1)} ms`;
}

/** Prints the ledger, the counts and the findings. @returns whether there are no findings */
export function printSoakReport(result: SoakResult, seed: number, minutes: number): boolean {
  const { ledger, totals, findings, harness, faults } = result;
  const { sender, lifecycle, recorder, expectations, simulator } = harness;
  const hits = [...faults.hitsByKind].toSorted(([, a], [, b]) => b - a);
  const sum = hits.reduce((total, [, times]) => total + times, 0);
  const { accepted, pending, delivered, ignored, dead } = ledger;
  const { overlapping, sameKeyInRequest } = simulator.stats();
  console.log(`
ledger      accepted ${accepted} = pending ${pending} + delivered ${delivered} + ignored ${ignored} + dead ${dead}
events      ${expectations.all().length} unique, ${sender.counts.posts} posts
duplicates  ${sender.counts.duplicatesAnswered} answered as duplicates
responses   ${sender.counts.lost} lost, ${sender.counts.refused} refused with 429 or 503
stops       ${lifecycle.kills} SIGKILL, ${lifecycle.shutdowns} SIGTERM
starts      ${lifecycle.startupTimesMs.length}: ${medianAndMax(lifecycle.startupTimesMs)}
faults      ${sum} requests: ${hits.map(([kind, times]) => `${kind} ${times}`).join(', ')}
landed      ${recorder.landed} messages, ${recorder.resent} of them more than once
order       ${overlapping} overlapping, ${sameKeyInRequest} in one request
lost        ${totals.lost}
result      ${findings.length === 0 ? 'all guarantees were kept' : `${findings.length} findings`} (seed ${seed}, ${minutes.toFixed(1)} minutes)`);
  for (const finding of findings) console.log(`  - ${finding.slice(0, 2_000)}`);
  return findings.length === 0;
}

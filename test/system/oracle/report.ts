import type { Trial } from './trial.ts';

const spread = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return `median ${at(0.5)} ms, longest ${at(1)} ms`;
};

/** Prints the ledger, the counts and the verdict. @returns true when the relay kept every promise */
export const reportTrial = (trial: Trial, seed: number, minutes: number): boolean => {
  const { ledger, due, findings, judge, weather } = trial;
  const { capillary, lives, witness, simulator } = judge;
  const faults = [...weather.fired].toSorted(([, a], [, b]) => b - a);
  const sum = faults.reduce((total, [, times]) => total + times, 0);
  const { accepted, pending, delivered, ignored, dead } = ledger;
  const { overlapping, sameKeyInRequest } = simulator.stats();
  console.log(`
ledger      accepted ${accepted} = pending ${pending} + delivered ${delivered} + ignored ${ignored} + dead ${dead}
events      ${judge.obligations.all().length} different, ${capillary.counts.posts} posts
duplicates  ${capillary.counts.duplicatesAnswered} answered as such
answers     ${capillary.counts.lost} lost, ${capillary.counts.refused} times asked to wait
deaths      ${lives.kills} SIGKILL, ${lives.terms} SIGTERM
starts      ${lives.starts.length}: ${spread(lives.starts)}
faults      ${sum} requests: ${faults.map(([kind, times]) => `${kind} ${times}`).join(', ')}
landed      ${witness.landed} messages, ${witness.resent} of them again
order       ${overlapping} overlapping, ${sameKeyInRequest} in one request
lost        ${due.lost}
verdict     ${findings.length === 0 ? 'every promise was kept' : `${findings.length} findings`} (seed ${seed}, ${minutes.toFixed(1)} minutes)`);
  for (const finding of findings) console.log(`  - ${finding.slice(0, 2_000)}`);
  return findings.length === 0;
};

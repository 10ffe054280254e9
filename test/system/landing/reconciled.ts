import type {
  DestinationReconciliationAnswer,
  DifferenceAnswer,
  SourceReconciliationAnswer,
} from '../../../src/cli/reconcile/reconciliation-answer.ts';
import type { Ended } from '../../cli/command-line.ts';

/** What `reconcile --json` says about one source and one destination. */
export interface Reconciled {
  readonly code: number | null;
  readonly ok: boolean;
  readonly source: SourceReconciliationAnswer;
  readonly destination: DestinationReconciliationAnswer;
}

/** @throws Error with what was printed instead */
export function readReconciled({ code, stdout, stderr }: Ended): Reconciled {
  if (!stdout.startsWith('{')) throw new Error(`reconcile ended with ${code}: ${stdout}${stderr}`);
  const { ok, sources, destinations } = JSON.parse(stdout);
  return { code, ok, source: sources[0], destination: destinations[0] };
}

/** `kind cause` → number of events. */
export function countsOf(differences: readonly DifferenceAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, cause, count } of differences)
    counts[`${kind} ${cause}`] = (counts[`${kind} ${cause}`] ?? 0) + count;
  return counts;
}

/** `kind cause` → ids of the events, sorted. */
export function namesOf(differences: readonly DifferenceAnswer[]): Record<string, string[]> {
  const names: Record<string, string[]> = {};
  for (const { kind, cause, eventId } of differences) {
    if (eventId !== undefined) (names[`${kind} ${cause}`] ??= []).push(eventId);
  }
  for (const list of Object.values(names)) list.sort();
  return names;
}

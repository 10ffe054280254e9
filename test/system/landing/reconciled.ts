import type {
  DestinationReconciliationAnswer,
  DifferenceAnswer,
  SourceReconciliationAnswer,
} from '../../../src/cli/reconcile/reconciliation-answer.ts';
import type { Ended } from '../../cli/command-line.ts';

export type { DifferenceAnswer };

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

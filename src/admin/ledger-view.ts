import type { Ledger, SourceCounts } from '../journal/journal.ts';
import type { LandingCounts } from '../journal/landings.ts';
import type { SourceReconciliation } from '../reconciliation/reconciliation-report.ts';
import { isoTime } from './views.ts';

/** What Capillary's log has of `sentFrom`–`sentUntil`; of sources with `reconcile`. */
export interface SentColumns {
  readonly sent?: number;
  readonly recovered?: number;
  readonly unrecoverable?: number;
  readonly missing?: number;
}

/** `delivered = landed + unconfirmed`; of sources whose destination has `reconcile`. */
export interface LandedColumns {
  readonly landed?: number;
  /** Dead letters that AEP refused after it had acknowledged them. */
  readonly refusedLater?: number;
  readonly unconfirmed?: number;
}

/** Counts of one source or of all. `balanced`: every accepted event is accounted for. */
export interface LedgerLine extends SourceCounts, SentColumns, LandedColumns {
  readonly balanced: boolean;
}

/** Pending events of a source that is not configured wait until it is. */
export interface SourceLine extends LedgerLine {
  readonly configured: boolean;
  readonly sentFrom?: string | undefined;
  readonly sentUntil?: string | undefined;
}

export interface LedgerView extends LedgerLine {
  readonly sources: Readonly<Record<string, SourceLine>>;
}

export interface LedgerParts {
  readonly ledger: Ledger;
  /** Names of the configured sources. */
  readonly configured: readonly string[];
  /** By source. */
  readonly sent: ReadonlyMap<string, SourceReconciliation>;
  /** Of all sources. */
  readonly landings: Readonly<Record<string, LandingCounts>>;
  /** Whether the destination of the source is compared with AEP. */
  readonly isCompared: (source: string) => boolean;
}

const NO_COUNTS: SourceCounts = {
  accepted: 0,
  pending: 0,
  delivered: 0,
  ignored: 0,
  dead: 0,
  malformed: 0,
  quarantined: 0,
};

const COUNTS = Object.keys(NO_COUNTS) as (keyof SourceCounts)[];
const OPTIONAL = [
  'sent',
  'recovered',
  'unrecoverable',
  'missing',
  'landed',
  'refusedLater',
  'unconfirmed',
] as const satisfies (keyof LedgerLine)[];

function isBalanced({ accepted, pending, delivered, ignored, dead }: SourceCounts): boolean {
  return accepted === pending + delivered + ignored + dead;
}

function sentColumns(reconciled: SourceReconciliation | undefined) {
  if (reconciled === undefined) return {};
  const { sent, recovered, unrecoverable, missing } = reconciled.sums;
  const { coveredFrom, seesUntil } = reconciled;
  return {
    sent,
    recovered,
    unrecoverable,
    missing,
    sentFrom: isoTime(coveredFrom),
    sentUntil: isoTime(seesUntil),
  };
}

function landedColumns(
  { delivered }: SourceCounts,
  { landed, refusedLater }: LandingCounts = { landed: 0, refusedLater: 0 },
): LandedColumns {
  return { landed, refusedLater, unconfirmed: delivered - landed };
}

/** Of the lines that have the column; undefined if none has. */
function sumOf(lines: readonly LedgerLine[], column: (typeof OPTIONAL)[number]): number | undefined {
  const values = lines.flatMap((line) => line[column] ?? []);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** Adds up the sources. The total is balanced only if each source is. */
export function ledgerView({ ledger, configured, sent, landings, isCompared }: LedgerParts): LedgerView {
  // A source that has accepted nothing can have sent something.
  const names = new Set([...Object.keys(ledger), ...sent.keys()]);
  const sources = Object.fromEntries(
    [...names].map((name): [string, SourceLine] => {
      const counts = ledger[name] ?? NO_COUNTS;
      const line = {
        ...counts,
        ...sentColumns(sent.get(name)),
        ...(isCompared(name) ? landedColumns(counts, landings[name]) : {}),
      };
      return [name, { ...line, balanced: isBalanced(counts), configured: configured.includes(name) }];
    }),
  );
  const lines = Object.values(sources);
  const total = Object.fromEntries(
    COUNTS.map((column) => [column, lines.reduce((sum, line) => sum + line[column], 0)]),
  ) as unknown as SourceCounts;
  const optional = Object.fromEntries(
    OPTIONAL.flatMap((column) => {
      const sum = sumOf(lines, column);
      return sum === undefined ? [] : [[column, sum]];
    }),
  );
  return { ...total, ...optional, balanced: lines.every(({ balanced }) => balanced), sources };
}

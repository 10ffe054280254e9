import { REFUSED_LATER } from '../../journal/event-reasons.ts';
import type { EventLog } from '../../journal/event-log.ts';
import type { Difference, DifferenceKind } from '../reconciliation-report.ts';
import type { BatchNote } from './batch-notes.ts';
import { MAX_TALLY_RECEIPTS } from './record-refusals.ts';

export interface BatchReport {
  /** The newest first. */
  readonly differences: readonly Difference[];
  /** Open differences by kind, in events or records. */
  readonly open: Readonly<Partial<Record<DifferenceKind, number>>>;
}

type DifferenceJournal = Pick<EventLog, 'count' | 'list'>;

const MAX_DIFFERENCES = 100;
/** Nothing in the relay can repair these, so they are shown as open for a week. */
const UNKNOWN_OPEN_MS = 7 * 86_400_000;

interface BatchEntry {
  readonly id: string;
  readonly note: BatchNote;
}

function isDifference({ note }: BatchEntry): boolean {
  const { refused, unknown, foreign } = note.tally;
  return refused + unknown + foreign > 0;
}

/** Which of the receipts that the batches name are still dead letters because of them. */
async function deadOf(
  journal: DifferenceJournal,
  destination: string,
  entries: readonly BatchEntry[],
): Promise<ReadonlySet<string>> {
  const receipts = entries.flatMap(({ note }) => note.tally.receipts);
  if (receipts.length === 0) return new Set();
  const filter = { destination, receipts, states: ['dead' as const], reason: REFUSED_LATER };
  const { items } = await journal.list(filter, { limit: MAX_DIFFERENCES * MAX_TALLY_RECEIPTS });
  return new Set(items.map(({ receipt }) => receipt));
}

/** Whether a dead letter of this batch is left, as far as a few of its receipts can tell. */
function isLeft({ note }: BatchEntry, dead: ReadonlySet<string>): boolean {
  const { receipts, refused } = note.tally;
  return receipts.some((receipt) => dead.has(receipt)) || refused > receipts.length;
}

function codesText(codes: readonly string[]): string {
  return codes.length === 0 ? '' : `: ${codes.join(', ')}`;
}

function refusedDifference({ id, note }: BatchEntry, isOpen: boolean): Difference {
  const { refused, receipts } = note.tally;
  const [receipt] = receipts;
  return {
    kind: 'refused-later',
    cause: 'validation',
    count: refused,
    isOpen,
    ...(receipt === undefined ? {} : { receipt }),
    detail: `AEP acknowledged these records and refused them in batch ${id}${codesText(note.codes)}`,
    fix: `capillary-relay dead-letters list --reason ${REFUSED_LATER}; correct the schema, the configuration or the mapping, then capillary-relay dead-letters replay --reason ${REFUSED_LATER}`,
  };
}

function unknownDifference({ id, note }: BatchEntry, now: number): Difference {
  return {
    kind: 'unknown-record',
    cause: 'unknown',
    count: note.tally.unknown,
    isOpen: (note.doneAt ?? now) > now - UNKNOWN_OPEN_MS,
    detail: `batch ${id} has refused records that cannot be assigned to an event of this relay: their files are gone or damaged, or their events are no longer stored${codesText(note.codes)}`,
    fix: 'capillary-relay provision verify, and in AEP: Monitoring, the batch',
  };
}

function foreignDifference({ id, note }: BatchEntry): Difference {
  return {
    kind: 'unknown-record',
    cause: 'another-writer',
    count: note.tally.foreign,
    isOpen: false,
    detail: `batch ${id} has refused records of another system or destination that writes to the dataset ${note.datasetId}`,
  };
}

/** The differences that failed batches are, from what is remembered of them. */
export async function batchReport(
  journal: DifferenceJournal,
  destination: string,
  batches: ReadonlyMap<string, BatchNote>,
  now: number,
): Promise<BatchReport> {
  const dead = await journal.count({ states: ['dead'], reason: REFUSED_LATER, destination });
  const entries = [...batches]
    .map(([id, note]) => ({ id, note }))
    .filter(({ note }) => note.doneAt !== undefined)
    .toSorted((left, right) => (right.note.doneAt ?? 0) - (left.note.doneAt ?? 0));
  const openUnknown = entries
    .filter(({ note }) => note.tally.unknown > 0)
    .map((entry) => unknownDifference(entry, now))
    .reduce((sum, { isOpen, count }) => sum + (isOpen ? count : 0), 0);
  const shown = entries.filter(isDifference).slice(0, MAX_DIFFERENCES);
  const left = dead === 0 ? new Set<string>() : await deadOf(journal, destination, shown);
  const differences = shown.flatMap((entry) => {
    const { refused, unknown, foreign } = entry.note.tally;
    return [
      ...(refused > 0 ? [refusedDifference(entry, dead > 0 && isLeft(entry, left))] : []),
      ...(unknown > 0 ? [unknownDifference(entry, now)] : []),
      ...(foreign > 0 ? [foreignDifference(entry)] : []),
    ];
  });
  return {
    differences: differences.slice(0, MAX_DIFFERENCES),
    open: {
      ...(dead === 0 ? {} : { 'refused-later': dead }),
      ...(openUnknown === 0 ? {} : { 'unknown-record': openUnknown }),
    },
  };
}

import type { TimeRange } from '../../journal/landings.ts';
import type { Difference, DifferenceKind, SentSums } from '../reconciliation-report.ts';
import type { RowDifference } from './row-verdict.ts';

/** A difference within one slot. */
export interface SlotDifference extends Difference {
  /** Epoch ms of the beginning of the slot. */
  readonly slot: number;
}

/** What became of the events of a slot; their sum is what was sent. */
export type SlotSums = Omit<SentSums, 'sent'>;

/** What is remembered of one slot. It is replaced as a whole when the slot is scanned again. */
export interface SlotAccount extends SlotSums {
  /** Epoch ms. */
  readonly from: number;
  /** Until when it was scanned, exclusive. */
  readonly until: number;
  /** Rows of the log. */
  readonly rows: number;
  /** Unknown events that Capillary may still deliver. */
  readonly unsettled: number;
  /** Open differences by kind, in events. */
  readonly open: Readonly<Partial<Record<DifferenceKind, number>>>;
  /** All differences by `<kind> <cause>`, in events. */
  readonly found: Readonly<Record<string, number>>;
  /**
   * Unusable rows that have been dealt with, by their ids, with the receipt of the dead letter that
   * has the payload, or an empty text.
   */
  readonly kept: Readonly<Record<string, string>>;
}

export type SlotOutcome = 'accepted' | 'recovered' | 'unrecoverable' | 'missing';

export interface SlotEntry {
  readonly outcome: SlotOutcome;
  readonly isUnsettled: boolean;
  readonly difference?: RowDifference &
    Pick<Difference, 'isOpen' | 'detail' | 'fix' | 'receipt' | 'eventId' | 'eventName'>;
}

/** Counts the rows of one slot. */
export interface SlotTally {
  readonly account: SlotAccount;
  readonly differences: readonly SlotDifference[];
  add(entry: SlotEntry): void;
  keep(row: string, receipt: string): void;
  /**
   * Adds the events that Capillary counts and its log does not have any more. Those that were seen
   * before keep what they were found to be.
   */
  addBeyondLog(counted: number, before: SlotAccount | undefined, fix: string): void;
}

/** More of one kind and cause are one difference. */
const LISTED = 20;
/** Rows of one slot that are remembered. */
const MAX_KEPT = 200;

export function emptyAccount({ from, until }: TimeRange): SlotAccount {
  const sums = { accepted: 0, recovered: 0, unrecoverable: 0, missing: 0 };
  return { from, until, rows: 0, unsettled: 0, ...sums, open: {}, found: {}, kept: {} };
}

type Counts<K extends string> = { [P in K]?: number };

function plus<K extends string>(counts: Readonly<Counts<K>>, key: K, count: number): Counts<K> {
  return { ...counts, [key]: (counts[key] ?? 0) + count };
}

function belongsWith(one: Difference, other: Difference): boolean {
  return one.kind === other.kind && one.cause === other.cause && one.isOpen === other.isOpen;
}

/** The same without what names one event. */
function combined({ slot, kind, cause, isOpen, window, fix }: SlotDifference, count: number): SlotDifference {
  const detail = `${count} more events of the same period`;
  const more = { ...(window === undefined ? {} : { window }), ...(fix === undefined ? {} : { fix }) };
  return { slot, kind, cause, count, isOpen, detail, ...more };
}

/** @param start of a scan that was interrupted, to be continued */
export function createSlotTally(
  slot: TimeRange,
  start?: { readonly account: SlotAccount; readonly differences: readonly SlotDifference[] },
): SlotTally {
  let account: SlotAccount = start?.account ?? emptyAccount(slot);
  const differences: SlotDifference[] = [...(start?.differences ?? [])];

  const record = (difference: SlotDifference): void => {
    const { kind, cause, count, isOpen } = difference;
    account = {
      ...account,
      found: plus(account.found, `${kind} ${cause}`, count),
      ...(isOpen ? { open: plus(account.open, kind, count) } : {}),
    };
    const same = differences.filter((other) => belongsWith(other, difference));
    const last = same.at(-1);
    if (same.length <= LISTED || last === undefined) {
      differences.push(same.length < LISTED ? difference : combined(difference, count));
    } else differences[differences.indexOf(last)] = combined(last, last.count + count);
  };

  return {
    get account() {
      return account;
    },
    differences,
    add({ outcome, isUnsettled, difference }) {
      account = {
        ...account,
        rows: account.rows + 1,
        unsettled: account.unsettled + (isUnsettled ? 1 : 0),
        [outcome]: account[outcome] + 1,
      };
      const window = { from: account.from, until: account.until };
      if (difference !== undefined) record({ slot: account.from, count: 1, window, ...difference });
    },
    keep(row, receipt) {
      if (row === '' || Object.keys(account.kept).length >= MAX_KEPT) return;
      account = { ...account, kept: { ...account.kept, [row]: receipt } };
    },
    addBeyondLog(counted, before, fix) {
      let gap = Math.max(counted, before?.rows ?? 0) - account.rows;
      if (gap <= 0) return;
      const { rows } = account;
      for (const outcome of ['accepted', 'recovered'] as const) {
        const seen = Math.min(gap, Math.max(0, (before?.[outcome] ?? 0) - account[outcome]));
        account = { ...account, [outcome]: account[outcome] + seen, rows: account.rows + seen };
        gap -= seen;
      }
      if (gap === 0) return;
      account = { ...account, unrecoverable: account.unrecoverable + gap };
      record({
        slot: account.from,
        kind: 'beyond-log',
        cause: 'log-too-old',
        count: gap,
        isOpen: true,
        window: { from: account.from, until: account.until },
        detail: `Capillary counts ${counted} events of this period; its log has ${rows}`,
        fix,
      });
    },
  };
}

/** Differences that the account has and an earlier one of the slot had not. */
export function newlyFound(
  account: SlotAccount,
  before: SlotAccount | undefined,
): readonly (RowDifference & { readonly count: number })[] {
  return Object.entries(account.found).flatMap(([key, found]) => {
    const count = found - (before?.found[key] ?? 0);
    const [kind, cause] = key.split(' ');
    return count > 0 ? [{ kind, cause, count } as RowDifference & { readonly count: number }] : [];
  });
}

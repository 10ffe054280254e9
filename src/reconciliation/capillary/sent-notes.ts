import type { Landings, TimeRange } from '../../journal/landings.ts';
import type { CheckProblem } from '../reconciliation-report.ts';
import { dayOf, firstDayWithRows, firstKeptDay } from './log-slots.ts';
import type { SlotAccount, SlotDifference, SlotSums } from './slot-account.ts';

/** A scan of a slot that was interrupted. */
export interface SlotProgress extends TimeRange {
  /** The next page, from 1. */
  readonly page: number;
  /** Events that Capillary counts. */
  readonly counted: number;
  readonly resend: boolean;
  readonly account: SlotAccount;
  readonly differences: readonly SlotDifference[];
  /** Ids of the rows of the page before. */
  readonly rowIds: readonly string[];
}

/** A comparison of an earlier period that was not completed. Times are epoch ms. */
export interface UnfinishedRun {
  readonly from: number;
  /** The next slot. */
  readonly next: number;
  readonly resend: boolean;
}

/** A time that was not compared, and that the log did not show any more when it was to be. */
export interface LogGap extends TimeRange {
  /** Epoch ms. */
  readonly foundAt: number;
}

/** What is remembered of a source, but for its slots. Times are epoch ms. */
export interface SentState {
  readonly coveredFrom?: number;
  /** Events that were generated until then have been compared. */
  readonly mark?: number;
  readonly lastRunAt?: number;
  readonly problem?: CheckProblem;
  readonly unfinished?: UnfinishedRun;
  readonly gaps?: readonly LogGap[];
  /** In no order; not all, but the open ones rather than others. */
  readonly differences: readonly SlotDifference[];
  /** Of the days that are not kept any more. */
  readonly older: SlotSums;
}

/** What is changed in one step. */
export interface SentChange {
  readonly state?: SentState;
  /** Replaces the account of the same slot. */
  readonly account?: SlotAccount;
  /** Null: there is none any more. */
  readonly progress?: SlotProgress | null;
}

/** What the comparison of a source remembers, in the notes of the journal. */
export interface SentNotes {
  readonly state: SentState;
  readonly progress: SlotProgress | undefined;
  /** Of one slot. */
  account(from: number): SlotAccount | undefined;
  /** Of all days that are kept, in order of time. */
  accounts(): Iterable<SlotAccount>;
  save(change: SentChange): Promise<void>;
  /**
   * Replaces the slots of days that are not kept any more with their sums, and forgets the single
   * rows of days that ordinary runs do not look at, and gaps that were found so long ago.
   */
  fold(now: number): Promise<void>;
}

export type NotesJournal = Pick<Landings, 'reconciliationNotes' | 'saveReconciliationNotes'>;

const STATE = 'state';
const PROGRESS = 'progress';
const NO_SUMS = { accepted: 0, recovered: 0, unrecoverable: 0, missing: 0 };

export function plusSums(sums: SlotSums, more: SlotSums): SlotSums {
  return {
    accepted: sums.accepted + more.accepted,
    recovered: sums.recovered + more.recovered,
    unrecoverable: sums.unrecoverable + more.unrecoverable,
    missing: sums.missing + more.missing,
  };
}

/** Notes are written by this file only, so they have the form in which it wrote them. */
function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

/** Reads the notes of a source; a day is parsed when it is needed. */
export async function loadSentNotes(journal: NotesJournal, source: string): Promise<SentNotes> {
  const scope = `capillary:${source}`;
  const texts = new Map(await journal.reconciliationNotes(scope));
  let state = (parsed(texts.get(STATE)) as SentState | undefined) ?? { differences: [], older: NO_SUMS };
  let progress = parsed(texts.get(PROGRESS)) as SlotProgress | undefined;
  /** The day that was looked at last. */
  let current: { readonly day: string; readonly accounts: readonly SlotAccount[] } | undefined;

  const days = (): string[] =>
    [...texts.keys()].filter((key) => key !== STATE && key !== PROGRESS).toSorted();

  const accountsOf = (day: string): readonly SlotAccount[] => {
    if (current?.day !== day)
      current = { day, accounts: (parsed(texts.get(day)) ?? []) as readonly SlotAccount[] };
    return current.accounts;
  };

  const write = async (notes: Readonly<Record<string, string | null>>): Promise<void> => {
    await journal.saveReconciliationNotes(scope, notes);
    for (const [key, text] of Object.entries(notes)) {
      if (text === null) texts.delete(key);
      else texts.set(key, text);
    }
    current = undefined;
  };

  return {
    get state() {
      return state;
    },
    get progress() {
      return progress;
    },
    account: (from) => accountsOf(dayOf(from)).find((account) => account.from === from),
    *accounts() {
      for (const day of days()) yield* accountsOf(day);
    },
    async save(change) {
      const notes: Record<string, string | null> = {};
      const { account } = change;
      if (account !== undefined) {
        const day = dayOf(account.from);
        const others = accountsOf(day).filter(({ from }) => from !== account.from);
        notes[day] = JSON.stringify([...others, account].toSorted((a, b) => a.from - b.from));
      }
      if (change.state !== undefined) notes[STATE] = JSON.stringify(change.state);
      if (change.progress === null && progress !== undefined) notes[PROGRESS] = null;
      if (change.progress) notes[PROGRESS] = JSON.stringify(change.progress);
      await write(notes);
      state = change.state ?? state;
      progress = change.progress === null ? undefined : (change.progress ?? progress);
    },
    async fold(now) {
      const first = firstKeptDay(now);
      const notes: Record<string, string | null> = {};
      let { older } = state;
      for (const day of days()) {
        const accounts = accountsOf(day);
        if (day < first) {
          notes[day] = null;
          older = accounts.reduce(plusSums, older);
        } else if (day < firstDayWithRows(now) && accounts.some(({ kept }) => Object.keys(kept).length > 0))
          notes[day] = JSON.stringify(accounts.map((account) => ({ ...account, kept: {} })));
      }
      const { gaps = [], differences } = state;
      const keptGaps = gaps.filter(({ foundAt }) => dayOf(foundAt) >= first);
      if (Object.keys(notes).length === 0 && keptGaps.length === gaps.length) return;
      const kept = differences.filter(({ slot }) => dayOf(slot) >= first);
      const next = { ...state, older, gaps: keptGaps, differences: kept };
      await write({ ...notes, [STATE]: JSON.stringify(next) });
      state = next;
    },
  };
}

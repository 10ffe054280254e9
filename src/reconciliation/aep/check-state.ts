import type { Landings, TimeRange } from '../../journal/landings.ts';
import type { MessageKind } from '../../journal/stored-event.ts';
import type { CheckProblem, Difference, DifferenceCause } from '../reconciliation-report.ts';
import type { ReadCounts } from './profile-reader.ts';
import { type Carry, NO_CARRY } from './window-account.ts';

/** What AEP has fewer of than was acknowledged, by kind of message. */
export type KindCounts = Readonly<Record<MessageKind, number>>;

export const NONE: KindCounts = { event: 0, profile: 0 };

/** Events of a time that are looked up one by one, because counts or a cause ask for it. */
export interface OpenRange extends TimeRange {
  readonly deficit: KindCounts;
  /** Records of the period in the lake by the numbers of the dataset, of all its writers. */
  readonly inLake?: number;
  /** Found to be missing so far. */
  readonly missing: KindCounts;
  readonly found: number;
  /** That cannot be looked up, such as those whose body is gone. */
  readonly unreadable: number;
  /** Where to go on; absent at the beginning. */
  readonly cursor?: string;
  /** All of them have been looked up, or as many as can be. */
  readonly isRead: boolean;
  readonly cause: DifferenceCause;
  /** The part that has landed, apart from doubts, when nothing is left to find; else none. */
  readonly confirms?: TimeRange;
}

/** A change of a dataflow, after which it loses records for some minutes. */
export interface FlowChange {
  readonly kind: MessageKind;
  /** Epoch ms by the journal's clock. */
  readonly at: number;
}

/** What the comparison of counts remembers. */
export interface CountState {
  /** Deliveries until then have been compared; epoch ms. */
  readonly mark?: number;
  readonly carry: Readonly<Record<MessageKind, Carry>>;
  readonly open: readonly OpenRange[];
  readonly changes: readonly FlowChange[];
  /** Ranges that have landed and are to be confirmed. */
  readonly confirming?: readonly TimeRange[];
}

/**
 * What records are made with, as a hash: configuration, version of the relay, and what is known of
 * programs. A record that was sent before it changed cannot be made again exactly.
 */
export interface Knowledge {
  readonly hash: string;
  /** Epoch ms since when it has been so. */
  readonly since: number;
}

/** What is shown of the last run. */
export interface RunState {
  readonly lastRunAt?: number;
  readonly seesProfileUntil?: number;
  readonly problem?: CheckProblem;
  /** What all runs have read from Profile. */
  readonly readBack: ReadCounts;
  /** What records are made with; see `knowledgeOf`. */
  readonly knowledge?: Knowledge;
  /** Those that are not doubts about an event, the newest first. */
  readonly differences: readonly Difference[];
}

export type StateJournal = Pick<Landings, 'reconciliationNotes' | 'saveReconciliationNotes'>;

/** Differences that are kept. */
const MAX_DIFFERENCES = 100;

const NEW_COUNTS: CountState = { carry: { event: NO_CARRY, profile: NO_CARRY }, open: [], changes: [] };
const NEW_RUN: RunState = { readBack: { events: 0, profiles: 0 }, differences: [] };

/** Scope of the notes of a destination. */
export function scopeOf(destination: string): string {
  return `aep:${destination}`;
}

function read<T>(json: string | undefined, absent: T): T {
  // The journal gives back what was saved; a later version only adds members.
  return json === undefined ? absent : { ...absent, ...(JSON.parse(json) as Partial<T>) };
}

/** What the checks of a destination remember between runs, in the notes of the journal. */
export interface CheckState {
  counts(): Promise<CountState>;
  saveCounts(state: CountState): Promise<void>;
  run(): Promise<RunState>;
  saveRun(state: RunState): Promise<void>;
}

export function createCheckState(journal: StateJournal, destination: string): CheckState {
  const scope = scopeOf(destination);
  const note = async (key: string): Promise<string | undefined> =>
    (await journal.reconciliationNotes(scope)).get(key);
  return {
    counts: async () => read(await note('counts'), NEW_COUNTS),
    saveCounts: (state) => journal.saveReconciliationNotes(scope, { counts: JSON.stringify(state) }),
    run: async () => read(await note('run'), NEW_RUN),
    saveRun: ({ differences, ...state }) => {
      const run = { ...state, differences: differences.slice(0, MAX_DIFFERENCES) };
      return journal.saveReconciliationNotes(scope, { run: JSON.stringify(run) });
    },
  };
}

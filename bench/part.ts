import type { Usage } from './processes/usage.ts';

/** CPU time of the relay until this many events were stored, or had lived. */
export interface GrowthPoint {
  readonly events: number;
  readonly cpuSeconds: number;
}

/** What the events of a life cost, per stage: until all landed, and to remove them by age. */
export interface Life {
  readonly events: number;
  readonly delivered: Usage;
  readonly body: Usage;
  readonly record: Usage;
}

/** Results that one part leaves for another: the CPU time while a store was filled, and a life. */
export interface Shared {
  growth?: readonly GrowthPoint[];
  life?: Life;
}

/** Options and shared state of the parts. */
export interface Bench {
  /** Root folder of the clone whose relay is measured. */
  readonly build: string;
  /** Uses a fraction of the events, for a quick check whether something has become much slower. */
  readonly short: boolean;
  /** Node options that make the relay write a CPU profile; empty without `--profile`. */
  readonly nodeFlags: readonly string[];
  /** Reports progress to the user. */
  readonly log: (text: string) => void;
  readonly shared: Shared;
}

/** A measurement. Leaves no process and no data behind. */
export type Part = (bench: Bench) => Promise<readonly Figure[]>;

type Goal = { readonly least: number } | { readonly most: number };

/** One measured figure. Its fields are also the format of `bench/results`. */
export interface Row {
  readonly part: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Bound of the value. */
  readonly goal?: Goal;
  /** Bound of the ratio to another build, if there is no other goal. */
  readonly ratioGoal?: Goal;
  /** The same figure of the other build, and the ratio of this build's to it. */
  readonly before?: number;
  readonly ratio?: number;
  /**
   * For a ratio: minimum and maximum ratio of two measurements of the same thing in the same run.
   * Without noise both would be 1.
   */
  readonly control?: readonly [number, number];
}

/** A row without its part, which the caller adds. */
export type Figure = Omit<Row, 'part'>;

/** Undefined if there is no goal, or no other build for the goal of a ratio. */
export function isMet({ goal, ratioGoal, value, ratio }: Row): boolean | undefined {
  if (goal !== undefined) return isWithin(goal, value);
  if (ratioGoal !== undefined && ratio !== undefined) return isWithin(ratioGoal, ratio);
  return undefined;
}

function isWithin(goal: Goal, value: number): boolean {
  return 'least' in goal ? value >= goal.least : value <= goal.most;
}

/** CPU time of the relay until this many events were stored. */
export interface GrowthPoint {
  readonly events: number;
  readonly cpuSeconds: number;
}

/** Options and shared state of the parts. */
export interface Bench {
  /** Uses a fraction of the events, for a quick check whether something has become much slower. */
  readonly short: boolean;
  /** Node flags that make the relay write a CPU profile; empty without `--profile`. */
  readonly nodeFlags: readonly string[];
  /** Reports progress to the user. */
  readonly log: (text: string) => void;
  /** Results that one part leaves for another: the CPU time while a store was filled. */
  readonly shared: { growth?: readonly GrowthPoint[] };
}

/** A measurement. Leaves no process and no data behind. */
export type Part = (bench: Bench) => Promise<readonly Figure[]>;

/** One measured figure. Its fields are also the format of `bench/results`. */
export interface Row {
  readonly part: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Lower or upper bound of the value. */
  readonly goal?: { readonly least: number } | { readonly most: number };
  /**
   * For a ratio: minimum and maximum ratio of two measurements of the same thing in the same run.
   * Without noise both would be 1.
   */
  readonly control?: readonly [number, number];
}

/** A row without its part, which the caller adds. */
export type Figure = Omit<Row, 'part'>;

/** Undefined if there is no goal. */
export function isMet({ goal, value }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'least' in goal ? value >= goal.least : value <= goal.most;
}

import type { GrowthPoint } from './full-store.ts';

/** What the parts are given. */
export interface Bench {
  /** A fraction of the events: quick, for a look whether something has become much slower. */
  readonly short: boolean;
  /** Node's flags for the relay that is to leave a profile; none otherwise. */
  readonly nodeFlags: readonly string[];
  /** Tells whoever waits what is going on. */
  readonly report: (text: string) => void;
  /** What one part leaves for another: how the cost grew while a store was filled. */
  readonly shared: { grown?: readonly GrowthPoint[] };
}

/** One thing that is measured. Leaves no process and no data behind. */
export type Part = (bench: Bench) => Promise<readonly Figure[]>;

/** One measured figure. */
export interface Row {
  readonly part: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** At least or at most so much is wanted. */
  readonly goal?: { readonly least: number } | { readonly most: number };
  /** Of a ratio: least and greatest ratio of two measurements of the same thing in the same run, which 1 would be without noise. */
  readonly control?: readonly [number, number];
}

/** A row before it is known of which part it is. */
export type Figure = Omit<Row, 'part'>;

/** Undefined where nothing is wanted. */
export function isMet({ goal, value }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'least' in goal ? value >= goal.least : value <= goal.most;
}

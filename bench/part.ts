import type { Grown } from './filled.ts';
import type { Figure } from './row.ts';

/** What the parts are given. */
export interface Bench {
  /** A fraction of the events: quick, for a look whether something has become much slower. */
  readonly short: boolean;
  /** Node's flags for the relay that is to leave a profile; none otherwise. */
  readonly flags: readonly string[];
  /** Tells whoever waits what is going on. */
  readonly told: (text: string) => void;
  /** What one part leaves for another: how the cost grew while a store was filled. */
  readonly shared: { grown?: readonly Grown[] };
}

/** One thing that is measured. Leaves no process and no data behind. */
export type Part = (bench: Bench) => Promise<readonly Figure[]>;

import type { LogLevel } from '../config/schema.ts';
import type { AccessRefusal } from './access.ts';

/** One change made by an operator: a line of the log. Counts and configured names only; the journal has the receipts. */
export interface ActionReport {
  /** E.g. `dead-letters.replay`, `destination.pause`. */
  readonly action: string;
  readonly by: string;
  readonly destination?: string;
  /** Level that the log was set to. */
  readonly level?: LogLevel;
  /** E.g. `{matched: 3, replayed: 3}`. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly dryRun?: boolean;
}

/** What the admin port tells of itself; the composition root turns it into log lines. */
export interface AdminObserver {
  acted(report: ActionReport): void;
  /** Somebody without the right credential was turned away. */
  refused(reason: AccessRefusal): void;
  /** Something that should not happen, survived; `error` is for the log. */
  trouble(message: string, error: unknown): void;
}

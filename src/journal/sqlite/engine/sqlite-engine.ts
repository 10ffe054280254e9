import type { Loss, PayloadCipher } from '../../payload-cipher.ts';
import type { ClaimFrontiers } from './claim-frontier.ts';
import type { ClaimRegistry } from './claim-registry.ts';
import type { ContactBounds } from '../../contact-bounds.ts';
import type { Accounts } from './accounts.ts';
import type { Database } from './database.ts';
import type { Indexes } from './indexes.ts';
import type { LandingState } from './landing-state.ts';
import type { IntakeLog } from './intake-log.ts';
import type { SentRequests } from './sent-requests.ts';
import type { TableCommits } from './table-commits.ts';

export interface EngineOptions {
  /** The folder of the store. */
  readonly path: string;
  readonly keys: readonly Uint8Array[];
  readonly maxPages?: number;
  /** Index entries held in memory before they are merged into their table. */
  readonly generationSize?: number;
  /** Bounds of the counted contacts of a destination. */
  readonly contactBounds?: ContactBounds;
  /** Epoch ms in shared memory, in place of the system's clock. For tests. */
  readonly clock?: Float64Array;
}

/** A message for the operator's log. */
export interface Notice {
  /** Level of the log line; `error` if absent. */
  readonly level?: 'warn';
  readonly message: string;
  readonly receipt?: string;
  /** Of an event that became a dead letter in the engine, because its payload is damaged. */
  readonly source?: string;
  readonly destination?: string;
  readonly reason?: string;
  readonly detail?: string;
}

/** The state that every operation works on. */
export interface Engine {
  /** Epoch ms by the engine's clock. */
  readonly now: () => number;
  readonly db: Database;
  readonly cipher: PayloadCipher;
  readonly claims: ClaimRegistry;
  readonly frontiers: ClaimFrontiers;
  readonly requests: SentRequests;
  indexes: Indexes;
  readonly contactBounds: ContactBounds;
  readonly generationSize: number | undefined;
  /** False while there is no alias at all, as with most brands: then no lookup is needed. */
  readonly aliases: { isAny: boolean };
  /** False while no event waits for a refresh: then no settlement looks for one. */
  readonly refreshes: { isAny: boolean };
  readonly accounts: Accounts;
  readonly landings: LandingState;
  readonly log: IntakeLog;
  readonly tables: TableCommits;
  /** What is in memory lacks what SQLite has rolled back: see recoverEngine. */
  needsRecovery: boolean;
  /** How often recoverEngine has run: each has undone what was written before. */
  recoveries: number;
  /**
   * Whether a damaged page was met. From then on each batch is committed, because the next damage
   * undoes what is not.
   */
  sawDamage: boolean;
  /**
   * Why the tables cannot be committed. Until they can, nothing is accepted or claimed, so that a
   * full disk repeats no delivery again and again.
   */
  failure: string | undefined;
  /** Destinations at which the current batch made something claimable. */
  readonly claimable: Set<string>;
  /** Payloads whose page cannot be read; see `readStored`. */
  readonly damagedPages: Set<string>;
  /** Whether everything stored has the form that the cipher writes now; see sealed_with. */
  readonly sealed: { isComplete: boolean };
  /** Notifies the operator. */
  notify(notice: Notice): void;
  /** Notifies the operator, once per payload, that a stored payload cannot be read. */
  reportUnreadable(what: string, why: Loss, receipt?: string): void;
  /** Notifies the operator, once, that the file is damaged. */
  reportDamage(): void;
  /** Returns the notices since the last call. */
  takeNotices(): readonly Notice[];
}

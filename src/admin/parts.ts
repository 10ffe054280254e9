import type { SourceTable } from '../sources/source-table.ts';
import type { Journal } from '../journal/journal.ts';
import type { CoverageSource } from './coverage.ts';
import type { DestinationDirectory } from './destinations.ts';
import type { HealthSource } from './health.ts';
import type { LogLevelControl } from './log-level.ts';
import type { MetricsSource } from './metrics.ts';
import type { AdminObserver } from './observer.ts';

/** What the admin port needs of the rest of the relay. */
export interface AdminParts {
  readonly journal: Pick<
    Journal,
    | 'ledger'
    | 'find'
    | 'list'
    | 'count'
    | 'listQuarantined'
    | 'replay'
    | 'replays'
    | 'promote'
    | 'discard'
    | 'removeQuarantined'
    | 'append'
    | 'appendMalformed'
  >;
  readonly sources: Pick<SourceTable, 'get'>;
  readonly destinations: DestinationDirectory;
  readonly coverage: CoverageSource;
  readonly metrics: MetricsSource;
  readonly health: HealthSource;
  /** The bearer token, asked for at each request so that it can be changed without a restart. Undefined: loopback only. */
  readonly token: () => string | undefined;
  readonly logLevel: LogLevelControl;
  readonly observer: AdminObserver;
  /** Epoch ms. */
  readonly now: () => number;
}

import type { EventColumns } from '../event-columns.ts';
import type { EventState, SourceCounts } from '../journal.ts';

/* What one storage engine reads and the other one writes, in a form of neither. */

export type CopiedValue = string | number | boolean | null | Uint8Array | readonly string[];

/** A row by its columns. Payloads have their stored form, which all engines share. */
export type CopiedRow = Readonly<Record<string, CopiedValue>>;

/** That an event waits for a refresh, or is pending because of one. */
export interface CopiedRefresh {
  /** The lane whose customer is to be refreshed; null also if the customer is not. */
  readonly lane: string | null;
  readonly customer: boolean;
  readonly bill: boolean;
  /** Epoch ms. */
  readonly since: number;
  readonly due_at: number;
  readonly attempts: number;
  readonly running: boolean;
}

/** That there is a doubt about a delivered event. */
export interface CopiedDoubt {
  readonly code: string;
  readonly detail: string;
  /** Epoch ms. */
  readonly at: number;
}

/** An event with everything that belongs to it alone. */
export interface CopiedEvent extends EventColumns {
  /** Its place in the order of acceptance, which the copy keeps. */
  readonly seq: number;
  readonly state: EventState;
  readonly isReplay: boolean;
  /** Head of its lane, although an older event waits behind it. */
  readonly isPinned: boolean;
  readonly sentIn: string | null;
  readonly notes: Uint8Array | null;
  readonly body: Uint8Array | null;
  /** In order; the columns are those of the tables without the key. */
  readonly attempts: readonly CopiedRow[];
  readonly sent: readonly CopiedRow[];
  readonly actions: readonly CopiedRow[];
  readonly differing: CopiedRow | undefined;
  /** What was fetched for it. */
  readonly entities: Uint8Array | null;
  /** If something is still missing. */
  readonly refresh: CopiedRefresh | undefined;
  readonly doubt: CopiedDoubt | undefined;
  /** It is to be read back from AEP. */
  readonly isWatched: boolean;
}

/** The other tables, in the order in which they are copied. */
export const SIDE_TABLES = {
  requests: {
    columns: ['id', 'at', 'kind', 'status', 'xaction', 'duration_ms', 'batch_size'],
    key: ['id'],
  },
  profiles: { columns: ['destination', 'lane', 'state'], key: ['destination', 'lane'] },
  aliases: { columns: ['destination', 'lane', 'target'], key: ['destination', 'lane'] },
  contact_totals: { columns: ['destination', 'counted', 'shared'], key: ['destination'] },
  contacts: { columns: ['destination', 'key', 'customer'], key: ['destination', 'key', 'customer'] },
  shared_contacts: {
    columns: ['destination', 'key', 'source', 'kind', 'masked', 'at'],
    key: ['destination', 'key'],
  },
  quarantine: {
    columns: ['receipt', 'source', 'received_at', 'expires_at', 'ip', 'reasons', 'headers', 'body', 'bytes'],
    key: ['receipt'],
  },
  pauses: { columns: ['destination', 'by', 'at'], key: ['destination'] },
  programs: { columns: ['org_id', 'json'], key: ['org_id'] },
  replay_jobs: {
    columns: [
      'id',
      'at',
      'by',
      'as_new',
      'shown',
      'filter',
      'next',
      'until',
      'matched',
      'replayed',
      'finished_at',
    ],
    key: ['id'],
  },
  // Those whose counts are all 0 are left out.
  spans: {
    columns: [
      'destination',
      'at',
      'source',
      'events',
      'doubted',
      'events_acknowledged',
      'profiles_acknowledged',
      'events_unanswered',
      'profiles_unanswered',
    ],
    key: ['destination', 'at', 'source'],
  },
  landings: { columns: ['source', 'landed', 'refused_later'], key: ['source'] },
  confirmed: { columns: ['destination', 'from_at', 'until_at', 'since'], key: ['destination', 'from_at'] },
  marks: { columns: ['name', 'at'], key: ['name'] },
  reconciliation_notes: { columns: ['scope', 'key', 'json'], key: ['scope', 'key'] },
} as const satisfies Record<string, { readonly columns: readonly string[]; readonly key: readonly string[] }>;

export type SideTable = keyof typeof SIDE_TABLES;
export const SIDE_TABLE_NAMES = Object.keys(SIDE_TABLES) as readonly SideTable[];

/** Counts that are compared as sums too, besides the number of their rows. */
export const SUMMED_COLUMNS = {
  spans: ['events', 'doubted', 'events_acknowledged', 'profiles_acknowledged'],
  landings: ['landed', 'refused_later'],
} as const satisfies Partial<Record<SideTable, readonly string[]>>;

/** What a store holds, to compare two of them. */
export interface StoreAccount {
  /** By source. */
  readonly ledger: Readonly<Record<string, SourceCounts & { readonly quarantined_bytes: number }>>;
  /** By destination. */
  readonly backlog: Readonly<Record<string, { readonly pending: number; readonly replaying: number }>>;
  /** Number of rows by table; of events by source, destination and state. Sums of columns. */
  readonly rows: Readonly<Record<string, number>>;
}

/** How far a copy has come. It is written in the transaction of each step. */
export interface CopyProgress {
  readonly step: 'events' | SideTable | 'counts' | 'compare' | 'done';
  /** The key of the last row of this step that is written; empty before the first. */
  readonly after: readonly (string | number)[];
  /** Events that are written. */
  readonly events: number;
}

export interface CopySource {
  /** For people. */
  readonly name: string;
  /** Differs as soon as a relay has worked on the store. */
  fingerprint(): Promise<string>;
  account(): Promise<StoreAccount>;
  /** The next events in the order of acceptance, as many as one step takes. */
  events(after: number): Promise<readonly CopiedEvent[]>;
  rows(table: SideTable, after: readonly (string | number)[]): Promise<readonly CopiedRow[]>;
  close(): Promise<void>;
}

export interface CopyTarget {
  readonly name: string;
  /**
   * Begins the copy of a source, or continues it. No relay can use the store before `finish`. Of a
   * copy that was finished just before it was stopped, the step is `done`.
   * @throws StoreError if the store has other contents
   */
  begin(fingerprint: string): Promise<CopyProgress>;
  writeEvents(events: readonly CopiedEvent[], progress: CopyProgress): Promise<void>;
  writeRows(table: SideTable, rows: readonly CopiedRow[], progress: CopyProgress): Promise<void>;
  /** Writes the counts, and what else follows from all rows. */
  writeCounts(account: StoreAccount, progress: CopyProgress): Promise<void>;
  account(): Promise<StoreAccount>;
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Rows of a step. */
export const STEP_ROWS = 500;
/** Bytes of bodies in a step, about. */
export const STEP_BYTES = 8_388_608;

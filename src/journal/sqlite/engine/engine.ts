import type { Backlog } from '../../journal.ts';
import { ClaimRegistry } from './claim-registry.ts';
import { CONTACT_BOUNDS, type ContactBounds } from './contact-schema.ts';
import { DAMAGE_ADVICE } from './damage.ts';
import { type Database, openDatabase } from './database.ts';
import { type Indexes, openIndexes } from './indexes.ts';
import { createPayloadCipher, type PayloadCipher } from './payload-cipher.ts';

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

/** A row of the table `counts`. */
export interface CountRow {
  readonly source: string;
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly ignored: number;
  readonly dead: number;
  readonly malformed: number;
  readonly quarantined: number;
  readonly quarantined_bytes: number;
}

export type Counts = Omit<CountRow, 'source'>;
export type PendingCounts = Pick<Backlog, 'pending' | 'replaying'>;

/**
 * Count changes of the current transaction that are not written yet. The calls of a batch change
 * the same few rows, so each row is written once: before the commit, and before it is read.
 */
export interface CountDeltas {
  /** By source. */
  readonly counts: Map<string, Counts>;
  /** By destination. */
  readonly backlog: Map<string, PendingCounts>;
}

/** A message for the operator's log. */
export interface Notice {
  readonly message: string;
  readonly receipt?: string;
}

/** The state that every operation works on. */
export interface Engine {
  /** Epoch ms by the engine's clock. */
  readonly now: () => number;
  readonly db: Database;
  readonly cipher: PayloadCipher;
  readonly claims: ClaimRegistry;
  readonly indexes: Indexes;
  readonly contactBounds: ContactBounds;
  /** False while there is no alias at all, as with most brands: then no lookup is needed. */
  readonly aliases: { isAny: boolean };
  readonly countDeltas: CountDeltas;
  /** Destinations at which the current batch made something claimable. */
  readonly claimable: Set<string>;
  /** Notifies the operator, once per payload, that a stored payload cannot be decrypted. */
  reportUnreadable(what: string, receipt?: string): void;
  /** Notifies the operator, once, that the file is damaged. */
  reportDamage(): void;
  /** Returns the notices since the last call. */
  takeNotices(): readonly Notice[];
}

/**
 * From now on payloads are written with this key, so the store no longer counts as completely
 * encrypted with any other one. Must run before anything is written.
 */
function forgetOtherKeys(db: Database, keyId: string | undefined): void {
  db.run('DELETE FROM sealed_with WHERE key_id IS NOT ?', keyId ?? null);
}

/**
 * Opens the store of one folder.
 * @throws StoreError if it cannot be opened
 */
export function openEngine(options: EngineOptions): Engine {
  const reported = new Set<string>();
  let notices: Notice[] = [];
  const report = (label: string, notice: Notice): void => {
    if (reported.has(label)) return;
    reported.add(label);
    notices.push(notice);
  };
  const db = openDatabase(options.path, options.maxPages);
  const cipher = createPayloadCipher(options.keys);
  const { clock } = options;
  forgetOtherKeys(db, cipher.keyId);
  return {
    now: clock === undefined ? Date.now : () => clock[0] ?? 0,
    db,
    cipher,
    claims: new ClaimRegistry(),
    indexes: openIndexes(db, options.generationSize),
    contactBounds: options.contactBounds ?? CONTACT_BOUNDS,
    aliases: { isAny: db.one('SELECT 1 FROM aliases LIMIT 1') !== undefined },
    countDeltas: { counts: new Map(), backlog: new Map() },
    claimable: new Set(),
    reportUnreadable: (what, receipt) =>
      report(`${what} ${receipt ?? ''}`, {
        message: `${what} cannot be decrypted: its encryption key is not configured or the data is damaged`,
        ...(receipt === undefined ? {} : { receipt }),
      }),
    reportDamage: () => report('damage', { message: `the store's file is damaged: ${DAMAGE_ADVICE}` }),
    takeNotices: () => {
      const taken = notices;
      notices = [];
      return taken;
    },
  };
}

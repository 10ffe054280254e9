import type { Backlog } from '../../journal.ts';
import { ClaimRegistry } from './claim-registry.ts';
import { CONTACT_BOUNDS, type ContactBounds } from './contact-schema.ts';
import { DAMAGE_ADVICE } from './damage.ts';
import { type Database, openDatabase } from './database.ts';
import { type Indexes, openIndexes } from './indexes.ts';
import { createPayloadCipher, type Loss, type PayloadCipher } from './payload-cipher.ts';

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
  readonly indexes: Indexes;
  readonly contactBounds: ContactBounds;
  /** False while there is no alias at all, as with most brands: then no lookup is needed. */
  readonly aliases: { isAny: boolean };
  readonly countDeltas: CountDeltas;
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

/** Payloads that are reported one by one; of more the log says nothing new. */
const MAX_REPORTED = 1_000;

const UNREADABLE: Readonly<Record<Loss, string>> = {
  damaged: 'is damaged: it does not match its checksum',
  'page-damaged': 'is on a damaged page of the file',
  missing: 'is missing',
  'key-unknown': 'cannot be decrypted: its key is not in store.encryptionKeys',
};

/**
 * From now on payloads are written in this form, so the store no longer counts as completely
 * written in any other one. Must run before anything is written.
 * @returns whether everything in the store has this form
 */
function isSealedWith(db: Database, formId: string): boolean {
  db.run('DELETE FROM sealed_with WHERE key_id IS NOT ?', formId);
  return db.one('SELECT 1 FROM sealed_with') !== undefined;
}

/**
 * Opens the store of one folder.
 * @throws StoreError if it cannot be opened
 */
export function openEngine(options: EngineOptions): Engine {
  const reported = new Set<string>();
  let notices: Notice[] = [];
  const report = (label: string, notice: Notice): void => {
    if (reported.has(label) || reported.size >= MAX_REPORTED) return;
    reported.add(label);
    notices.push(notice);
  };
  const db = openDatabase(options.path, options.maxPages);
  const { clock } = options;
  const sealed = { isComplete: false };
  const cipher = createPayloadCipher(options.keys, () => sealed.isComplete);
  sealed.isComplete = isSealedWith(db, cipher.formId);
  return {
    now: clock === undefined ? Date.now : () => clock[0] ?? 0,
    db,
    cipher,
    sealed,
    damagedPages: new Set(),
    claims: new ClaimRegistry(),
    indexes: openIndexes(db, options.generationSize),
    contactBounds: options.contactBounds ?? CONTACT_BOUNDS,
    aliases: { isAny: db.one('SELECT 1 FROM aliases LIMIT 1') !== undefined },
    countDeltas: { counts: new Map(), backlog: new Map() },
    claimable: new Set(),
    notify: (notice) => void notices.push(notice),
    reportUnreadable: (what, why, receipt) =>
      report(`${what} ${receipt ?? ''}`, {
        message: `${what} ${UNREADABLE[why]}`,
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

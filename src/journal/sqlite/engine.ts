import { Claims } from './claims.ts';
import type { Sums } from './counts.ts';
import { WAY_OUT } from './damage.ts';
import { type Database, openDatabase } from './database.ts';
import { type Indexes, openIndexes } from './indexes.ts';
import type { Notice, WorkerOptions } from './protocol.ts';
import { createSeal, type Seal } from './seal.ts';
import { forgetOtherKeys } from './sealing.ts';

/** What every operation in the worker works on. */
export interface Engine {
  readonly db: Database;
  readonly seal: Seal;
  readonly claims: Claims;
  readonly indexes: Indexes;
  /** Whether there can be any alias. While there is none, as with most brands for long, nobody asks for one. */
  readonly aliases: { isAny: boolean };
  /** What the batch in hand adds to the counts. */
  readonly sums: Sums;
  /** Destinations at which the batch in hand made something claimable. */
  readonly claimable: Set<string>;
  /** Tells the operator of a stored payload that cannot be opened, once for each. */
  reportUnreadable(what: string, receipt?: string): void;
  /** Tells the operator, once, that the file has shown to be damaged. */
  reportDamage(): void;
  /** Notices since the last call. */
  takeNotices(): readonly Notice[];
}

/**
 * Opens the store of one folder.
 * @throws StoreError when it cannot be opened.
 */
export function openEngine(options: Omit<WorkerOptions, 'pulse'>): Engine {
  const reported = new Set<string>();
  let notices: Notice[] = [];
  const report = (label: string, notice: Notice): void => {
    if (reported.has(label)) return;
    reported.add(label);
    notices.push(notice);
  };
  const db = openDatabase(options.path, options.maxPages);
  const seal = createSeal(options.keys);
  forgetOtherKeys(db, seal.keyId);
  return {
    db,
    seal,
    claims: new Claims(),
    indexes: openIndexes(db, options.generation),
    aliases: { isAny: db.one('SELECT 1 FROM aliases LIMIT 1') !== undefined },
    sums: { counts: new Map(), backlog: new Map() },
    claimable: new Set(),
    reportUnreadable: (what, receipt) =>
      report(`${what} ${receipt ?? ''}`, {
        message: `${what} cannot be opened: its encryption key is not configured or it is damaged`,
        ...(receipt === undefined ? {} : { receipt }),
      }),
    reportDamage: () => report('damage', { message: `the file of the store is damaged: ${WAY_OUT}` }),
    takeNotices: () => {
      const taken = notices;
      notices = [];
      return taken;
    },
  };
}

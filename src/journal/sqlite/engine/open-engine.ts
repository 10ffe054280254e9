import { ClaimFrontiers } from './claim-frontier.ts';
import { ClaimRegistry } from './claim-registry.ts';
import { CONTACT_BOUNDS } from '../../contact-bounds.ts';
import { loadAccounts, openAccounts, writeAccounts } from './accounts.ts';
import { DAMAGE_ADVICE, describeWalDamage, TORN_WAL } from './damage.ts';
import { type Database, openDatabase, openingError } from './database.ts';
import type { Engine, EngineOptions, Notice } from './sqlite-engine.ts';
import { openIndexes } from './indexes.ts';
import { newSeed, openIntakeLog } from './intake-log.ts';
import { applyLog, assertLogBelongs, assertLogComplete, assertLogExists } from './intake-recovery.ts';
import { createPayloadCipher, type Loss } from '../../payload-cipher.ts';
import { openLandings, reloadLandings, setFirstMarks } from './landing-state.ts';
import { isSealed } from './re-encryption.ts';
import { isAnyRefresh } from './refresh-table.ts';
import { createSentRequests } from './sent-requests.ts';
import { createTableCommits } from './table-commits.ts';

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
  return isSealed(db);
}

/** A row of `intake_log`. */
interface LogState {
  readonly seed: number;
  readonly position: number;
  /** 1 if the relay was stopped properly, or has never run. */
  readonly isClosed: number;
}

/** Where the tables stand in the intake log; creates the row of a new store. */
function logStateOf(db: Database): LogState & { readonly isNew: boolean } {
  const created = db.run(
    'INSERT OR IGNORE INTO intake_log (id, seed, position, is_closed) VALUES (1, ?, 0, 1)',
    newSeed(),
  );
  const state = db.one('SELECT seed, position, is_closed AS isClosed FROM intake_log') as LogState;
  return { ...state, isNew: created > 0 };
}

function isAnyAlias(db: Database): boolean {
  return db.one('SELECT 1 FROM aliases LIMIT 1') !== undefined;
}

function openNotices() {
  const reported = new Set<string>();
  let notices: Notice[] = [];
  const reportOnce = (label: string, notice: Notice): void => {
    if (reported.has(label) || reported.size >= MAX_REPORTED) return;
    reported.add(label);
    notices.push(notice);
  };
  return {
    notify: (notice: Notice): void => void notices.push(notice),
    reportUnreadable: (what: string, why: Loss, receipt?: string): void =>
      reportOnce(`${what} ${receipt ?? ''}`, {
        message: `${what} ${UNREADABLE[why]}`,
        ...(receipt === undefined ? {} : { receipt }),
      }),
    reportDamage: (): void =>
      reportOnce('damage', { message: `the store's file is damaged: stop the relay, then ${DAMAGE_ADVICE}` }),
    takeNotices: (): readonly Notice[] => {
      const taken = notices;
      notices = [];
      return taken;
    },
  };
}

/**
 * Opens the store of one folder, and applies what only the intake log contains.
 * @throws StoreError if it cannot be opened
 */
export function openEngine(options: EngineOptions): Engine {
  const db = openDatabase(options.path, options.maxPages);
  try {
    return startEngine(db, options);
  } catch (error) {
    db.close();
    throw openingError(options.path, error);
  }
}

function startEngine(db: Database, options: EngineOptions): Engine {
  const { clock, generationSize } = options;
  const sealed = { isComplete: false };
  const cipher = createPayloadCipher(options.keys, () => sealed.isComplete);
  sealed.isComplete = isSealedWith(db, cipher.formId);
  const state = logStateOf(db);
  assertLogExists(options.path, state);
  assertLogBelongs(options.path, state);
  const { log, content } = openIntakeLog(options.path, state);
  const accounts = openAccounts(db);
  const now = clock === undefined ? Date.now : () => clock[0] ?? 0;
  setFirstMarks(db, now());
  const landings = openLandings(db);
  const notices = openNotices();
  const tables = createTableCommits(db.raw, {
    position: () => log.last,
    beforeCommit: () => {
      writeAccounts(accounts, db);
      landings.spans.write(db);
      db.run('UPDATE intake_log SET position = ?, is_closed = 0', log.last);
    },
    onDurable: (position) => log.release(position),
    onError: ({ message }) => {
      engine.failure = `the tables of the store could not be written: ${message}`;
      engine.needsRecovery ||= !tables.isIntact();
      notices.notify({ message: engine.failure });
    },
    onSyncFailed: (error) =>
      void setImmediate(() => {
        throw error;
      }),
  });
  const engine: Engine = {
    ...notices,
    now,
    db,
    cipher,
    sealed,
    damagedPages: new Set(),
    accounts,
    landings,
    log,
    tables,
    generationSize,
    claims: new ClaimRegistry(),
    frontiers: new ClaimFrontiers(),
    requests: createSentRequests(db),
    indexes: openIndexes(db, generationSize),
    contactBounds: options.contactBounds ?? CONTACT_BOUNDS,
    aliases: { isAny: isAnyAlias(db) },
    refreshes: { isAny: isAnyRefresh(db) },
    claimable: new Set(),
    needsRecovery: false,
    recoveries: 0,
    sawDamage: false,
    failure: undefined,
  };
  if (db.walDamage !== undefined)
    notices.notify({
      message: `${describeWalDamage(db.walDamage)}; accepted events are taken from the intake log, and delivery of the last seconds is repeated`,
    });
  if (db.isWalTorn) notices.notify({ level: 'warn', message: TORN_WAL });
  assertLogComplete(content, state);
  applyLog(engine, content);
  // Makes what opening has written durable, and what a killed process has left unsynced.
  tables.begin();
  // The seed of the log must be in the file itself: the write-ahead log can be lost.
  if (state.isNew) tables.checkpoint();
  else tables.commitDurably();
  return engine;
}

/**
 * Brings the engine back to what is stored, after SQLite has rolled the transaction of several
 * batches back: what was accepted in it is applied again from the intake log. Outcomes of that time
 * are forgotten.
 * @throws the error of SQLite; then the engine is still in the state of before
 */
export function recoverEngine(engine: Engine): void {
  const { raw } = engine.db;
  // An earlier attempt can have left its transaction open.
  if (raw.isTransaction) raw.exec('ROLLBACK');
  engine.tables.forget();
  engine.recoveries += 1;
  engine.sealed.isComplete &&= isSealed(engine.db);
  engine.claims.touchAll();
  loadAccounts(engine.accounts, engine.db);
  reloadLandings(engine.landings, engine.db);
  engine.indexes = openIndexes(engine.db, engine.generationSize);
  engine.aliases.isAny = isAnyAlias(engine.db);
  engine.refreshes.isAny = isAnyRefresh(engine.db);
  engine.claimable.clear();
  engine.frontiers.reset();
  engine.requests.forget();
  applyLog(engine, engine.log.read(logStateOf(engine.db).position));
  engine.needsRecovery = false;
}

/** Commits everything and closes the files. */
export function closeEngine(engine: Engine): void {
  const { db, log, tables } = engine;
  try {
    if (engine.needsRecovery) recoverEngine(engine);
    tables.release();
    tables.checkpoint();
    db.run('UPDATE intake_log SET is_closed = 1');
  } finally {
    db.close();
    tables.close();
    log.close();
  }
}

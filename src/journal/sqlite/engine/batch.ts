import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import { RefusedError, StoreError } from '../../journal.ts';
import { commitAccounts, rollBackAccounts } from './accounts.ts';
import { append, appendMalformed, promote, quarantine, recordDifferingCopy } from './append.ts';
import {
  type AnswerOf,
  type Call,
  CLASS_OF,
  type OperationName,
  type Outcome,
  type RequestOf,
} from './calls.ts';
import { claim, release } from './claim.ts';
import { countContacts, sharedContacts } from './contact-table.ts';
import { backlog, ledger } from './counts.ts';
import { isDamage } from './damage.ts';
import { isStorageFailure } from './database.ts';
import type { Engine } from './sqlite-engine.ts';
import { count, find, list } from './lookups.ts';
import { enrichments } from './entity-table.ts';
import { LANDING_OPERATIONS } from './landing-operations.ts';
import { makeRoom } from './make-room.ts';
import { discard, pause, pauses, reroute, resume } from './operator-changes.ts';
import { recoverEngine } from './open-engine.ts';
import { programs, savePrograms } from './program-table.ts';
import { profiles } from './payloads.ts';
import { listQuarantined, removeQuarantined } from './quarantine-table.ts';
import { isSealed, reencrypt } from './re-encryption.ts';
import { refresh } from './refresh-start.ts';
import { refreshBacklog } from './refresh-table.ts';
import { replay, replays, replayStep } from './replay-table.ts';
import { holdFile, probe, releaseFile, retain, status } from './retention.ts';
import { settle } from './settle.ts';

/** Calls of a batch that may be excluded because they failed; beyond that the whole batch fails. */
const MAX_FAILING_CALLS = 8;

interface FailedBatch {
  readonly error: unknown;
  /** The call that was executing; absent if the commit failed. */
  readonly failingCall?: Call;
}

function toFailure(error: unknown): Outcome {
  return {
    ok: false,
    refused: error instanceof RefusedError,
    message: error instanceof Error ? error.message : String(error),
  };
}

function execute(engine: Engine, call: Call): Outcome {
  const { failure } = engine;
  if (failure !== undefined && ['intake', 'growing'].includes(CLASS_OF[call.name]))
    return toFailure(new StoreError(failure));
  const operation = OPERATIONS[call.name] as (engine: Engine, request: unknown) => unknown;
  try {
    return { ok: true, answer: operation(engine, call.request) };
  } catch (error) {
    // These two guarantee that nothing was written, so the other calls need not be undone.
    if (error instanceof RefusedError || error instanceof StoreError) return toFailure(error);
    throw error;
  }
}

function forgetBatch({
  claims,
  frontiers,
  requests,
  indexes,
  accounts,
  landings,
  claimable,
  log,
}: Engine): void {
  frontiers.reset();
  requests.forget();
  claims.rollback();
  indexes.identities.rollback();
  indexes.queues.rollback();
  rollBackAccounts(accounts);
  landings.spans.rollBackBatch();
  landings.refresh();
  claimable.clear();
  log.discard();
}

function keepBatch({ claims, indexes, accounts, landings }: Engine): void {
  claims.commit();
  indexes.identities.commit();
  indexes.queues.commit();
  commitAccounts(accounts);
  landings.spans.commitBatch();
}

/**
 * Undoes a batch, and only the batch unless SQLite has rolled back more. After a damaged page was
 * met, SQLite refuses every write until the whole transaction is rolled back.
 */
function rollBack(engine: Engine, error: unknown, isInBatch: boolean): void {
  forgetBatch(engine);
  const { raw } = engine.db;
  if (isDamage(error) && raw.isTransaction) {
    raw.exec('ROLLBACK');
    engine.sawDamage = true;
    // A recovery that was itself interrupted by the damage is still needed.
    engine.needsRecovery ||= engine.tables.hasEarlierChanges;
    if (!engine.needsRecovery) engine.tables.forget();
  } else if (!engine.tables.isIntact() || !raw.isTransaction) engine.needsRecovery = true;
  else if (isInBatch) raw.exec('ROLLBACK TO batch; RELEASE batch');
  if (!engine.needsRecovery) engine.sealed.isComplete &&= isSealed(engine.db);
}

/** A commit that succeeds shows that the tables can be written again. */
function commitDurably(engine: Engine): void {
  engine.tables.commitDurably();
  engine.failure = undefined;
}

/** Executes all calls as one step, or none. */
function runTogether(engine: Engine, calls: readonly Call[]): readonly Outcome[] | FailedBatch {
  const outcomes: Outcome[] = [];
  let current: Call | undefined;
  let isInBatch = false;
  try {
    if (engine.needsRecovery) recoverEngine(engine);
    engine.tables.begin();
    engine.db.run('SAVEPOINT batch');
    isInBatch = true;
    for (const call of calls) {
      current = call;
      outcomes.push(execute(engine, call));
    }
    current = undefined;
    hitFailpoint('journal-committing', calls);
    engine.log.flush();
    engine.db.run('RELEASE batch');
    isInBatch = false;
    keepBatch(engine);
    if (engine.sawDamage || calls.some(({ name }) => CLASS_OF[name] === 'operator')) commitDurably(engine);
    hitFailpoint('journal-committed', calls);
    return outcomes;
  } catch (error) {
    rollBack(engine, error, isInBatch);
    return { error, failingCall: current };
  }
}

/**
 * The calls that fail after a failed transaction; the others are tried again. An error in one call
 * fails that call. A storage failure first fails the calls that make the file grow, then the other
 * writes, so that a full disk can still be read, delivered from and emptied.
 */
function callsToFail(
  calls: readonly Call[],
  { error, failingCall }: FailedBatch,
  mayExclude: boolean,
): readonly Call[] {
  if (failingCall !== undefined && (CLASS_OF[failingCall.name] === 'read' || !isStorageFailure(error)))
    return mayExclude ? [failingCall] : calls;
  for (const classes of [
    ['intake', 'growing'],
    ['delivery', 'operator'],
  ]) {
    const ofClass = calls.filter((call) => classes.includes(CLASS_OF[call.name]));
    if (ofClass.length > 0) return ofClass;
  }
  return calls;
}

/**
 * Executes a batch and returns the outcome of each call, in order. Whatever succeeded is durable
 * when this returns.
 */
export function runBatch(engine: Engine, calls: readonly Call[]): readonly Outcome[] {
  const failures = new Map<Call, Outcome>();
  let remaining = calls;
  let done: readonly Outcome[] = [];
  for (let tries = 0; remaining.length > 0; tries += 1) {
    engine.claimable.clear();
    const result = runTogether(engine, remaining);
    if (!('error' in result)) {
      done = result;
      break;
    }
    if (isDamage(result.error)) engine.reportDamage();
    const failure = toFailure(result.error);
    for (const call of callsToFail(remaining, result, tries < MAX_FAILING_CALLS)) failures.set(call, failure);
    remaining = calls.filter((call) => !failures.has(call));
  }
  if (failures.size === 0) return done;
  const outcomes = new Map(remaining.map((call, index) => [call, done[index]]));
  return calls.map((call) => (outcomes.get(call) ?? failures.get(call)) as Outcome);
}

/**
 * The implementation of each operation; runs inside a transaction. An operation that refuses a call
 * does so before it writes anything.
 */
const OPERATIONS: {
  readonly [Name in OperationName]: (engine: Engine, request: RequestOf<Name>) => AnswerOf<Name>;
} = {
  append,
  appendMalformed,
  recordDifferingCopy,
  quarantine,
  claim,
  settle,
  enrichments,
  refresh,
  refreshes: refreshBacklog,
  release,
  profiles,
  countContacts,
  sharedContacts,
  ledger,
  backlog,
  find,
  list,
  count,
  listQuarantined,
  replay,
  replayStep,
  replays,
  discard,
  reroute,
  promote,
  removeQuarantined,
  pauses,
  pause,
  resume,
  programs,
  savePrograms,
  retain,
  makeRoom,
  holdFile,
  releaseFile,
  reencrypt,
  status,
  probe,
  ...LANDING_OPERATIONS,
};

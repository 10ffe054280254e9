import { hitFailpoint } from '../../../telemetry/failpoints.ts';
import { RefusedError, StoreError } from '../../journal.ts';
import { append, appendMalformed, promote } from './append.ts';
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
import { backlog, clearCountDeltas, ledger, writeCountDeltas } from './counts.ts';
import { isDamage } from './damage.ts';
import { isStorageFailure } from './database.ts';
import { recordDifferingCopy } from './differing-copies.ts';
import type { Engine } from './engine.ts';
import { count, find, list } from './lookups.ts';
import { discard, pause, pauses, reroute, resume } from './operator-changes.ts';
import { programs, savePrograms } from './program-table.ts';
import { profiles } from './payloads.ts';
import { listQuarantined, quarantine, removeQuarantined } from './quarantine-table.ts';
import { reencrypt } from './re-encryption.ts';
import { replay, replays, replayStep } from './replay-table.ts';
import { probe, retain, status } from './retention.ts';
import { settle } from './settle.ts';

/** Calls of a batch that may be excluded because they failed; beyond that the whole batch fails. */
const MAX_FAILING_CALLS = 8;

interface FailedTransaction {
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
  const operation = OPERATIONS[call.name] as (engine: Engine, request: unknown) => unknown;
  try {
    return { ok: true, answer: operation(engine, call.request) };
  } catch (error) {
    // These two guarantee that nothing was written, so the other calls need not be undone.
    if (error instanceof RefusedError || error instanceof StoreError) return toFailure(error);
    throw error;
  }
}

function rollBack(engine: Engine): void {
  engine.claims.rollback();
  engine.indexes.identities.rollback();
  engine.indexes.queues.rollback();
  clearCountDeltas(engine);
  engine.claimable.clear();
  if (engine.db.raw.isTransaction) engine.db.raw.exec('ROLLBACK');
}

/** Executes all calls in one transaction, or none. */
function runTransaction(engine: Engine, calls: readonly Call[]): readonly Outcome[] | FailedTransaction {
  const outcomes: Outcome[] = [];
  let current: Call | undefined;
  try {
    engine.db.raw.exec('BEGIN');
    for (const call of calls) {
      current = call;
      outcomes.push(execute(engine, call));
    }
    current = undefined;
    writeCountDeltas(engine);
    hitFailpoint('journal-committing', calls);
    engine.db.raw.exec('COMMIT');
    hitFailpoint('journal-committed', calls);
    engine.claims.commit();
    engine.indexes.identities.commit();
    engine.indexes.queues.commit();
    return outcomes;
  } catch (error) {
    rollBack(engine);
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
  { error, failingCall }: FailedTransaction,
  mayExclude: boolean,
): readonly Call[] {
  if (failingCall !== undefined && (CLASS_OF[failingCall.name] === 'read' || !isStorageFailure(error)))
    return mayExclude ? [failingCall] : calls;
  for (const operationClass of ['intake', 'write'] as const) {
    const ofClass = calls.filter((call) => CLASS_OF[call.name] === operationClass);
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
    const result = runTransaction(engine, remaining);
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
  reencrypt,
  status,
  probe,
};

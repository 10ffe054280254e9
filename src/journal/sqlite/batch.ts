import { hitFailpoint } from '../../telemetry/failpoints.ts';
import { RefusedError, StoreError } from '../journal.ts';
import { clearSums, writeSums } from './counts.ts';
import { isStorageFailure } from './database.ts';
import { isDamage } from './damage.ts';
import type { Engine } from './engine.ts';
import { OPERATIONS } from './operations.ts';
import { CLASS_OF, type Call, type Outcome } from './protocol.ts';

/** Calls of one batch that may fail by their own fault and be left out; after that something is wrong with all of them. */
const MAX_CULPRITS = 8;

interface Failure {
  readonly error: unknown;
  /** The call in which it failed; absent when it was the commit. */
  readonly culprit?: Call;
}

function failed(error: unknown): Outcome {
  return {
    ok: false,
    refused: error instanceof RefusedError,
    message: error instanceof Error ? error.message : String(error),
  };
}

function carryOut(engine: Engine, call: Call): Outcome {
  const operation = OPERATIONS[call.name] as (on: Engine, request: unknown) => unknown;
  try {
    return { ok: true, answer: operation(engine, call.request) };
  } catch (error) {
    // These two say that nothing was written, so the others need not be undone.
    if (error instanceof RefusedError || error instanceof StoreError) return failed(error);
    throw error;
  }
}

function undo(engine: Engine): void {
  engine.claims.rollback();
  engine.indexes.identities.rollback();
  engine.indexes.queues.rollback();
  clearSums(engine);
  engine.claimable.clear();
  if (engine.db.raw.isTransaction) engine.db.raw.exec('ROLLBACK');
}

/** Carries out the calls in one transaction; all of them or none. */
function together(engine: Engine, calls: readonly Call[]): readonly Outcome[] | Failure {
  const outcomes: Outcome[] = [];
  let culprit: Call | undefined;
  try {
    engine.db.raw.exec('BEGIN');
    for (const call of calls) {
      culprit = call;
      outcomes.push(carryOut(engine, call));
    }
    culprit = undefined;
    writeSums(engine);
    hitFailpoint('journal-committing', calls);
    engine.db.raw.exec('COMMIT');
    hitFailpoint('journal-committed', calls);
    engine.claims.commit();
    engine.indexes.identities.commit();
    engine.indexes.queues.commit();
    return outcomes;
  } catch (error) {
    undo(engine);
    return { error, culprit };
  }
}

/**
 * Whom a failure falls on. A call's own fault falls on that call. A failure of the file falls first on what makes it grow, then on the other
 * writes: so a full disk can still be read, delivered from and emptied.
 */
function fallsOn(calls: readonly Call[], { error, culprit }: Failure, mayLeaveOut: boolean): readonly Call[] {
  const own = culprit !== undefined && (CLASS_OF[culprit.name] === 'read' || !isStorageFailure(error));
  if (own) return mayLeaveOut ? [culprit] : calls;
  for (const kind of ['intake', 'write'] as const) {
    const ofKind = calls.filter((call) => CLASS_OF[call.name] === kind);
    if (ofKind.length > 0) return ofKind;
  }
  return calls;
}

/** Carries out a batch and answers the outcome of each call, in order. What succeeded is on the disk when this returns. */
export function runBatch(engine: Engine, calls: readonly Call[]): readonly Outcome[] {
  const failures = new Map<Call, Outcome>();
  let waiting = calls;
  let done: readonly Outcome[] = [];
  for (let tries = 0; waiting.length > 0; tries += 1) {
    engine.claimable.clear();
    const result = together(engine, waiting);
    if (!('error' in result)) {
      done = result;
      break;
    }
    if (isDamage(result.error)) engine.reportDamage();
    const failure = failed(result.error);
    for (const call of fallsOn(waiting, result, tries < MAX_CULPRITS)) failures.set(call, failure);
    waiting = calls.filter((call) => !failures.has(call));
  }
  if (failures.size === 0) return done;
  const outcomes = new Map(waiting.map((call, index) => [call, done[index]]));
  return calls.map((call) => (outcomes.get(call) ?? failures.get(call)) as Outcome);
}

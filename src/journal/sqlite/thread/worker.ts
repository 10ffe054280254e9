import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../../journal.ts';
import { runBatch } from '../engine/batch.ts';
import { type AnswerOf, CLASS_OF, type Failure, type Outcome } from '../engine/calls.ts';
import type { Engine } from '../engine/sqlite-engine.ts';
import { mergeDueParts } from '../engine/indexes.ts';
import { closeEngine, openEngine } from '../engine/open-engine.ts';
import { checkMarker, keepMarker } from '../engine/store-marker.ts';
import { createCallQueue } from './call-queue.ts';
import {
  type FromWorker,
  type Heartbeat,
  type NumberedCall,
  recordHeartbeat,
  startHeartbeat,
  type ToWorker,
  type WorkerOptions,
} from './protocol.ts';

/*
 * The storage thread, which owns the file. SQLite blocks the thread it runs in; in a thread of its
 * own it never blocks the event loop of the relay.
 */
if (parentPort === null) throw new Error('this file must be started by the journal');
const port = parentPort;
function post(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

/** What the main thread takes over. */
function buffersOf({ name }: NumberedCall, outcome: Outcome | undefined): ArrayBuffer[] {
  return name === 'claim' && outcome?.ok === true
    ? [(outcome.answer as AnswerOf<'claim'>).bodies.buffer]
    : [];
}

function failuresOf(calls: readonly NumberedCall[], outcomes: readonly Outcome[]) {
  const failures: { id: number; failure: Failure }[] = [];
  for (const [index, { id }] of calls.entries()) {
    const failure = outcomes[index];
    if (failure?.ok === false) failures.push({ id, failure });
  }
  return failures;
}

/** Executes a batch and posts its answers. */
function execute(engine: Engine, calls: readonly NumberedCall[]): void {
  const startedAt = performance.now();
  const outcomes = runBatch(engine, calls);
  const answers: FromWorker = {
    type: 'answers',
    ids: calls.map(({ id }) => id),
    answers: outcomes.map((outcome) => (outcome.ok ? outcome.answer : undefined)),
    failures: failuresOf(calls, outcomes),
    batch: {
      calls: calls.length,
      writes: calls.some(({ name }) => ['intake', 'operator'].includes(CLASS_OF[name])),
      durationMs: performance.now() - startedAt,
    },
    claimable: [...engine.claimable],
    notices: engine.takeNotices(),
  };
  post(
    answers,
    calls.flatMap((call, index) => buffersOf(call, outcomes[index])),
  );
}

/** Time between two updates of the marker beside the store. */
const MARKER_INTERVAL_MS = 60_000;
/** Time between two looks whether the tables are to be committed while no calls arrive. */
const IDLE_INTERVAL_MS = 250;

/** Never throws: a transaction that cannot be committed is reported by the next call. */
function runCommits(engine: Engine): void {
  if (engine.needsRecovery || engine.failure !== undefined) return;
  try {
    mergeDueParts(engine.indexes, engine.tables);
    engine.tables.runIfDue();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    engine.failure = `the tables of the store could not be committed: ${message}`;
    engine.needsRecovery = !engine.tables.isIntact();
    engine.notify({ message: engine.failure });
  }
}

/**
 * Calls that arrive while a batch is executed form the next batch: the busier the relay is, the
 * more calls share one fsync.
 */
function serve(engine: Engine, heartbeat: Heartbeat): void {
  const queue = createCallQueue();
  let isScheduled = false;
  const runNextBatch = (): void => {
    recordHeartbeat(heartbeat);
    execute(engine, queue.next());
    runCommits(engine);
    isScheduled = !queue.isEmpty;
    recordHeartbeat(heartbeat);
    // All messages that have arrived meanwhile are queued before the next batch starts.
    if (isScheduled) setImmediate(runNextBatch);
  };
  startHeartbeat(heartbeat);
  setInterval(runCommits, IDLE_INTERVAL_MS, engine).unref();
  checkMarker(engine, options.path);
  keepMarker(engine, options.path);
  setInterval(keepMarker, MARKER_INTERVAL_MS, engine, options.path).unref();
  port.on('message', (message: ToWorker) => {
    if (message.type === 'calls') {
      queue.push(message.calls);
      if (!isScheduled) setImmediate(runNextBatch);
      isScheduled = true;
      return;
    }
    keepMarker(engine, options.path);
    closeEngine(engine);
    port.close();
  });
  post({ type: 'ready' });
}

const options = workerData as WorkerOptions;

function open(): Engine | undefined {
  try {
    return openEngine(options);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    post({ type: 'refused', message, fix: error instanceof StoreError ? error.fix : undefined });
    port.close();
    return undefined;
  }
}

const engine = open();
if (engine !== undefined) serve(engine, options.heartbeat);

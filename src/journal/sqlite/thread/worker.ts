import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../../journal.ts';
import { runBatch } from '../engine/batch.ts';
import { CLASS_OF, type Failure, type Outcome } from '../engine/calls.ts';
import { createCheckpoints } from '../engine/database.ts';
import { type Engine, openEngine } from '../engine/engine.ts';
import { mergeDueParts } from '../engine/indexes.ts';
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
function post(message: FromWorker): void {
  port.postMessage(message);
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
  post({
    type: 'answers',
    ids: calls.map(({ id }) => id),
    answers: outcomes.map((outcome) => (outcome.ok ? outcome.answer : undefined)),
    failures: failuresOf(calls, outcomes),
    batch: {
      calls: calls.length,
      writes: calls.some(({ name }) => CLASS_OF[name] !== 'read'),
      durationMs: performance.now() - startedAt,
    },
    claimable: [...engine.claimable],
    notices: engine.takeNotices(),
  });
}

/**
 * Calls that arrive while a batch is executed form the next batch: the busier the relay is, the
 * more calls share one fsync.
 */
function serve(engine: Engine, heartbeat: Heartbeat): void {
  const queue = createCallQueue();
  const checkpoints = createCheckpoints(engine.db.raw);
  let isScheduled = false;
  const runNextBatch = (): void => {
    recordHeartbeat(heartbeat);
    execute(engine, queue.next());
    mergeDueParts(engine.indexes);
    checkpoints.run();
    isScheduled = !queue.isEmpty;
    recordHeartbeat(heartbeat);
    // All messages that have arrived meanwhile are queued before the next batch starts.
    if (isScheduled) setImmediate(runNextBatch);
  };
  startHeartbeat(heartbeat);
  port.on('message', (message: ToWorker) => {
    if (message.type === 'calls') {
      queue.push(message.calls);
      if (!isScheduled) setImmediate(runNextBatch);
      isScheduled = true;
      return;
    }
    engine.db.close();
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

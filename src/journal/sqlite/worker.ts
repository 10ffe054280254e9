import { parentPort, workerData } from 'node:worker_threads';
import { runBatch } from './batch.ts';
import { createCheckpoints } from './checkpoints.ts';
import { type Engine, openEngine } from './engine.ts';
import { mergeDue } from './indexes.ts';
import { beat, keepBeating, type Pulse } from './pulse.ts';
import {
  CLASS_OF,
  type Failure,
  type FromWorker,
  type NumberedCall,
  type Outcome,
  type ToWorker,
  type WorkerOptions,
} from './protocol.ts';
import { createCallQueue } from './queue.ts';

/*
 * The thread that owns the file. It blocks while SQLite works, which is why it is one of its own; the event loop of the relay never does.
 */
if (parentPort === null) throw new Error('this file is started by the journal');
const port = parentPort;
function tell(message: FromWorker): void {
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

/** Carries out a batch and tells what came of it. */
function carryOut(engine: Engine, calls: readonly NumberedCall[]): void {
  const began = performance.now();
  const outcomes = runBatch(engine, calls);
  tell({
    type: 'answers',
    ids: calls.map(({ id }) => id),
    answers: outcomes.map((outcome) => (outcome.ok ? outcome.answer : undefined)),
    failures: failuresOf(calls, outcomes),
    batch: {
      calls: calls.length,
      writes: calls.some(({ name }) => CLASS_OF[name] !== 'read'),
      durationMs: performance.now() - began,
    },
    claimable: [...engine.claimable],
    notices: engine.takeNotices(),
  });
}

/** What comes while a batch is carried out waits together and is the next one: the busier the relay is, the more calls share one fsync. */
function serve(engine: Engine, pulse: Pulse): void {
  const queue = createCallQueue();
  const checkpoints = createCheckpoints(engine.db.raw);
  let isTurning = false;
  const turn = (): void => {
    beat(pulse);
    carryOut(engine, queue.next());
    mergeDue(engine.indexes);
    checkpoints.run();
    isTurning = !queue.isEmpty;
    beat(pulse);
    // By the next turn everything that was told meanwhile is in the queue.
    if (isTurning) setImmediate(turn);
  };
  keepBeating(pulse);
  port.on('message', (message: ToWorker) => {
    if (message.type === 'calls') {
      queue.push(message.calls);
      if (!isTurning) setImmediate(turn);
      isTurning = true;
      return;
    }
    engine.db.close();
    port.close();
  });
  tell({ type: 'ready' });
}

const options = workerData as WorkerOptions;

function open(): Engine | undefined {
  try {
    return openEngine(options);
  } catch (error) {
    tell({ type: 'refused', message: error instanceof Error ? error.message : String(error) });
    port.close();
    return undefined;
  }
}

const engine = open();
if (engine !== undefined) serve(engine, options.pulse);

import { parentPort, workerData } from 'node:worker_threads';
import { runBatch } from './batch.ts';
import { type Engine, openEngine } from './engine.ts';
import { beat, keepBeating, type Pulse } from './pulse.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts';

/*
 * The thread that owns the file. It blocks while SQLite works, which is why it is one of its own; the event loop of the relay never does.
 */
if (parentPort === null) throw new Error('this file is started by the journal');
const port = parentPort;
const tell = (message: FromWorker): void => port.postMessage(message);

const serve = (engine: Engine, pulse: Pulse): void => {
  keepBeating(pulse);
  port.on('message', (message: ToWorker) => {
    beat(pulse);
    if (message.type === 'batch') {
      const began = performance.now();
      const outcomes = runBatch(engine, message.calls);
      const durationMs = performance.now() - began;
      beat(pulse);
      tell({
        type: 'answers',
        outcomes,
        durationMs,
        claimable: [...engine.claimable],
        notices: engine.takeNotices(),
      });
      return;
    }
    engine.db.close();
    port.close();
  });
  tell({ type: 'ready' });
};

const options = workerData as WorkerOptions;

const open = (): Engine | undefined => {
  try {
    return openEngine(options);
  } catch (error) {
    tell({ type: 'refused', message: error instanceof Error ? error.message : String(error) });
    port.close();
    return undefined;
  }
};

const engine = open();
if (engine !== undefined) serve(engine, options.pulse);

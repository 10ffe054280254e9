import threads, { type WorkerOptions } from 'node:worker_threads';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Given to the relay with --import: its threads leave a CPU profile too. A thread has its own flags, and the relay's are none of the bench's.
 */
const own = process.execArgv.filter((flag) => flag.startsWith('--cpu-prof'));

threads.Worker = class extends threads.Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(file, { ...options, execArgv: [...(options.execArgv ?? []), ...own] });
  }
};
syncBuiltinESMExports();

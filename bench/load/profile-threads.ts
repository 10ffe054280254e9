import threads, { type WorkerOptions } from 'node:worker_threads';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Preload of the relay (--import): passes the profiling flags to its worker threads, which do not
 * inherit them.
 */
const profileFlags = process.execArgv.filter((flag) => flag.startsWith('--cpu-prof'));

threads.Worker = class extends threads.Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(file, { ...options, execArgv: [...(options.execArgv ?? []), ...profileFlags] });
  }
};
syncBuiltinESMExports();

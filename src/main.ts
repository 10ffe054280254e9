#!/usr/bin/env -S node --disable-warning=ExperimentalWarning

import { handleEarlySignals } from './cli/early-signals.ts';

handleEarlySignals(process.argv[2]);
// The reader of a pipe may close it early (`… | head`); the command has not failed then.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`standard output cannot be written (${error.code})\n`);
  process.exit(1);
});
// Where messages cannot be written there is no place to say so, and the exit code still tells.
process.stderr.on('error', () => undefined);

const MIN_NODE_VERSION = 24;
if (Number.parseInt(process.versions.node, 10) < MIN_NODE_VERSION) {
  process.stderr.write(
    `capillary-relay requires Node ${MIN_NODE_VERSION} or later; this is ${process.version}\n`,
  );
  process.exit(2);
}
// Imported after the check, because the commands use modules that older versions do not have. The
// build replaces this file by the bundle of everything that it imports (build/main.ts).
const { run } = await import('./cli/run.ts');
await run(process.argv.slice(2));

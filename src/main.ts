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
// Imported after the check, because the commands use modules that older versions do not have.
const { exitCodeOf, errorText } = await import('./cli/command-error.ts');
const { createProgram } = await import('./cli/program.ts');

const [, , ...args] = process.argv;
try {
  const program = await createProgram(args);
  await program.parseAsync(args, { from: 'user' });
} catch (error) {
  const text = errorText(error);
  if (text !== undefined) process.stderr.write(`${text}\n`);
  process.exitCode = exitCodeOf(error);
}

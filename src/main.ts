#!/usr/bin/env -S node --disable-warning=ExperimentalWarning

// The reader of a pipe may leave early (`… | head`): that is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const OLDEST_NODE = 24;
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(`capillary-relay needs Node ${OLDEST_NODE} or later; this is ${process.version}\n`);
  process.exit(2);
}
// Loaded only now: what the commands import does not exist in older versions.
const { exitCodeOf, explainError } = await import('./cli/command-error.ts');
const { createProgram } = await import('./cli/program.ts');

const [, , ...words] = process.argv;
try {
  const program = await createProgram(words);
  await program.parseAsync(words, { from: 'user' });
} catch (error) {
  const text = explainError(error);
  if (text !== undefined) process.stderr.write(`${text}\n`);
  process.exitCode = exitCodeOf(error);
}

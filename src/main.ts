#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { exitCodeOf, explainError } from './cli/command-error.ts';
import { createProgram } from './cli/program.ts';

// The reader of a pipe may leave early (`… | head`): that is no failure of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const [, , ...words] = process.argv;
try {
  const program = await createProgram(words);
  await program.parseAsync(words, { from: 'user' });
} catch (error) {
  const text = explainError(error);
  if (text !== undefined) process.stderr.write(`${text}\n`);
  process.exitCode = exitCodeOf(error);
}

import { exitCodeOf, errorText } from './command-error.ts';
import { createProgram } from './program.ts';

/** Runs the command that the arguments name. An error is shown, and sets the exit code. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    const program = await createProgram(args);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const text = errorText(error);
    if (text !== undefined) process.stderr.write(`${text}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';

/**
 * Parses the words as the program would, and does nothing.
 * @returns the names of the commands that would have run. Rejects with what the program would say
 * against the words.
 */
export async function parseCommand(words: readonly string[]): Promise<string[]> {
  const program = await createProgram(words);
  const called: string[] = [];
  const disarm = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    // Groups such as `store` do nothing by themselves; `events` and `map` do, beside what is below
    // them.
    if (Reflect.get(command, '_actionHandler') !== null)
      command.action(() => void called.push(command.name()));
    command.commands.forEach(disarm);
  };
  disarm(program);
  await program.parseAsync(words, { from: 'user' });
  return called;
}

import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { pages, relayWords, shellLines } from './shell-lines.ts';

const lines = pages.flatMap((page) =>
  shellLines(page).flatMap((line) => {
    const words = relayWords(line);
    return words === undefined ? [] : [[page, line, words] as const];
  }),
);

/** Parses the words as the program would, and does nothing. */
const parse = async (words: readonly string[]): Promise<string[]> => {
  const program = await createProgram(words);
  const called: string[] = [];
  const disarm = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    // Groups such as `store` do nothing by themselves; `events` and `map` do, beside what is below them.
    if (Reflect.get(command, '_actionHandler') !== null)
      command.action(() => void called.push(command.name()));
    command.commands.forEach(disarm);
  };
  disarm(program);
  await program.parseAsync(words, { from: 'user' });
  return called;
};

describe('the commands in docs/', () => {
  it('are found', () => {
    expect(lines.length).toBeGreaterThan(25);
  });

  it.each(lines)('%s: %s', async (_page, _line, words) => {
    expect(await parse(words)).toHaveLength(1);
  });

  it('would be refused with an option or a command that there is not', async () => {
    await expect(parse(['ledger', '--all-of-it'])).rejects.toThrow('unknown option');
    await expect(parse(['ledgers'])).rejects.toThrow('unknown command');
  });
});

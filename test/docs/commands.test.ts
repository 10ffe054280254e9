import { describe, expect, it } from 'vitest';
import { parseCommand } from './parse-command.ts';
import { pages, relayWords, shellLines } from './shell-lines.ts';

const lines = pages.flatMap((page) =>
  shellLines(page).flatMap((line) => {
    const words = relayWords(line);
    return words === undefined ? [] : [[page, line, words] as const];
  }),
);

describe('the commands in docs/', () => {
  it('are found', () => {
    expect(lines.length).toBeGreaterThan(25);
  });

  it.each(lines)('%s: %s', async (_page, _line, words) => {
    expect(await parseCommand(words)).toHaveLength(1);
  });

  it('would be refused with an option or a command that there is not', async () => {
    await expect(parseCommand(['ledger', '--all-of-it'])).rejects.toThrow('unknown option');
    await expect(parseCommand(['ledgers'])).rejects.toThrow('unknown command');
  });
});

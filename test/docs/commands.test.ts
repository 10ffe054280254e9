import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCommand } from './parse-command.ts';
import { pages, relayWords, shellLines } from './shell-lines.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

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

  it('are written as in the image, where RELAY_CONFIG names the configuration', () => {
    const texts = [...pages, 'README.md', 'docker-compose.yml', 'deploy/prometheus/alerts.yaml'].map(
      (page) => [page, readFileSync(`${ROOT}${page}`, 'utf8')] as const,
    );
    const other = /npm run (-s )?relay --|capillary-relay (?!serve)[^`\n]*--config \/etc\/relay/;
    expect(texts.filter(([, text]) => other.test(text)).map(([page]) => page)).toEqual([]);
  });

  it('would be refused with an option or a command that there is not', async () => {
    await expect(parseCommand(['ledger', '--all-of-it'])).rejects.toThrow('unknown option');
    await expect(parseCommand(['ledgers'])).rejects.toThrow('unknown command');
  });
});

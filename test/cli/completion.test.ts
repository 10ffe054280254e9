import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { CATALOGUE } from '../../src/capillary/catalogue.ts';
import { candidatesFor } from '../../src/cli/completion/candidates.ts';
import { createProgram } from '../../src/cli/program.ts';
import { DEAD_REASONS } from '../../src/journal/event-reasons.ts';
import { LOG_LEVELS } from '../../src/telemetry/log-level.ts';

const program = await createProgram([]);

async function complete(...words: string[]) {
  const { candidates, files } = await candidatesFor(program, words);
  return { values: candidates.map(({ value }) => value), files };
}

/** The words that lead to each command below another one. */
function paths(command: Command, above: readonly string[] = []): (readonly string[])[] {
  return command.commands.flatMap((inner) => {
    const path = [...above, inner.name()];
    return [path, ...paths(inner, path)];
  });
}

describe('completion', () => {
  it.each(paths(program))('knows every option and subcommand of %s %s', async (...path) => {
    let command: Command = program;
    for (const name of path.filter(Boolean)) command = command.commands.find((one) => one.name() === name)!;
    const words = path.filter(Boolean);
    const { values } = await complete(...words, '-');
    const long = command.options.flatMap((option) => (option.hidden ? [] : (option.long ?? [])));
    expect(values).toEqual(expect.arrayContaining([...long, '--help']));
    const names = command.commands.map((inner) => inner.name()).filter((name) => name !== 'candidates');
    expect((await complete(...words, '')).values).toEqual(expect.arrayContaining(names));
  });

  it('completes the beginning of commands and options, each option once', async () => {
    expect((await complete('dead-letters', 're')).values).toEqual(['replay', 'replays']);
    expect((await complete('dead-letters', 'list', '--js')).values).toEqual(['--json']);
    expect((await complete('dead-letters', 'list', '--json', '--js')).values).toEqual([]);
    expect((await complete('ledger', '')).values).toContain('--url');
  });

  it('completes the values of options and arguments', async () => {
    expect((await complete('events', '--state', 'de')).values).toEqual(['delivered', 'dead']);
    expect((await complete('events', '--state', 'pending,de')).values.toSorted()).toEqual([
      'pending,dead',
      'pending,delivered',
    ]);
    expect((await complete('events', '--state=pend')).values).toEqual(['--state=pending']);
    expect((await complete('dead-letters', 'list', '--reason', 'rej')).values).toEqual(['rejected']);
    for (const command of ['list', 'replay', 'discard'])
      expect((await complete('dead-letters', command, '--reason', '')).values).toEqual([
        ...DEAD_REASONS,
        'malformed',
      ]);
    expect((await complete('events', '--reason', 'no-')).values).toEqual(['no-identity']);
    expect((await complete('coverage', '--event-name', '')).values).toEqual([...CATALOGUE.keys()]);
    expect((await complete('events', 'replay', '--states', 'delivered,')).values).toEqual([
      'delivered,ignored',
      'delivered,dead',
    ]);
    expect((await complete('events', 'replay', '--filter', 'settled')).values).toEqual([
      'settledSince=',
      'settledUntil=',
    ]);
    expect((await complete('log-level', '')).values).toEqual([...LOG_LEVELS]);
    expect((await complete('log-level', '--for', '')).values).toEqual([]);
  });

  it('completes the names of sources and destinations in the configuration', async () => {
    vi.stubEnv('RELAY_CONFIG', fileURLToPath(new URL('../../examples/relay.yaml', import.meta.url)));
    expect((await complete('events', '--source', '')).values).toEqual(['acme']);
    expect((await complete('destinations', 'pause', 'ac')).values).toEqual(['acme-aep']);
    vi.stubEnv('RELAY_CONFIG', '/nonexistent');
    expect((await complete('events', '--source', '')).values).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('completes files where a path is expected', async () => {
    for (const words of [
      ['check', '--config', ''],
      ['map', 'one.json', ''],
      ['store', 'backup', '--to', ''],
    ])
      expect(await complete(...words)).toEqual({ values: [], files: true });
    expect(await complete('dead-letters', 'replay', '0190')).toEqual({ values: [], files: false });
  });
});

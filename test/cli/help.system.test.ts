import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { run } from './command-line.ts';

const ALL = [
  'init',
  'provision',
  'serve',
  'check',
  'doctor',
  'register',
  'map',
  'status',
  'events',
  'explain',
  'ledger',
  'reconcile',
  'coverage',
  'dead-letters',
  'quarantine',
  'destinations',
  'log-level',
  'reload',
  'store',
  'simulate',
  'send',
  'demo',
  'completion',
];

function below(command: Command): Command[] {
  return [command, ...command.commands.flatMap(below)];
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

describe('help', () => {
  it('shows an example for every command and subcommand', async () => {
    const program = await createProgram([]);
    expect(program.commands.map((command) => command.name())).toEqual(ALL);
    for (const command of below(program)) {
      const help = { command: command.name(), text: helpOf(command), description: command.description() };
      expect(help).toMatchObject({
        text: expect.stringMatching(/Examples?:\n {2}\$ capillary-relay /),
        description: expect.stringMatching(/\w/),
      });
    }
  });

  it('loads only the command that is named', async () => {
    const program = await createProgram(['ledger']);
    expect(program.commands.map((command) => command.name())).toEqual(['ledger']);
  });

  it('is printed to standard output, with exit code 0', async () => {
    const [top, one] = await Promise.all([run(['--help']), run(['ledger', '--help'])]);
    expect(top).toMatchObject({ code: 0, stderr: '' });
    for (const name of ALL) expect(top.stdout).toContain(`\n  ${name}`);
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(one.stdout).toContain('--token <token>');
  });

  it('--version prints the version of the package', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('wrong usage exits with 2 and says what is wrong', () => {
  it.each([
    ['an unknown command', ['deliver'], "unknown command 'deliver'"],
    ['an unknown option', ['ledger', '--now'], "unknown option '--now'"],
    ['a missing argument', ['explain'], "missing required argument 'id'"],
    ['too many arguments', ['ledger', 'all'], 'too many arguments'],
    ['an invalid limit', ['events', '--limit', '501'], 'an integer from 1 to 500'],
    ['no command', [], 'Usage: capillary-relay'],
    ['a group without its command', ['dead-letters'], 'Usage: capillary-relay dead-letters'],
    ['an address that is not a URL', ['ledger', '--url', 'localhost:8081'], '--url must be an http(s) URL'],
  ])('%s', async (_what, words, message) => {
    const ended = await run(words);
    expect(ended.stderr).toContain(message);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).not.toMatch(/\n {4}at /);
  });
});

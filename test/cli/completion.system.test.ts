import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SHELL_SCRIPTS } from '../../src/cli/completion/shell-scripts.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { run } from './command-line.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a script of a shell, with the built relay as `capillary-relay`. */
function inShell(shell: string, args: readonly string[], script: string): string[] {
  const { stdout, stderr, status } = spawnSync(shell, [...args, '-c', script], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${ROOT}bin:${process.env['PATH']}` },
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((line) => line !== '');
}

function isInstalled(shell: string): boolean {
  const found = spawnSync(shell, ['--version']).status === 0;
  if (!found) reportSkip(`completion in ${shell}`, `${shell} is not installed`);
  return found;
}

describe('capillary-relay completion', () => {
  it.each(Object.entries(SHELL_SCRIPTS))('%s prints the script and nothing else', async (shell, script) => {
    expect(await run(['completion', shell])).toEqual({ code: 0, stdout: script, stderr: '' });
  });

  it('an unknown shell is wrong usage; a command that there is not has no candidates', async () => {
    expect(await run(['completion', 'tcsh'])).toMatchObject({ code: 2, stdout: '' });
    const unknown = await run(['completion', 'candidates', '--', 'deliver', '']);
    expect(unknown).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

/** Each: the words that bash has split, and what it offers. */
const WORDS = [
  ['ev', ['events']],
  ['dead-letters re', ['replay', 'replays']],
  ['events --state pending,de', ['pending,delivered', 'pending,dead']],
  // bash splits at the =.
  ['events --state = pend', ['pending']],
  ['check --config examples/relay.y', ['examples/relay.yaml']],
] as const;

describe('in bash', () => {
  it.each(WORDS)('%s', (words, expected) => {
    const count = words.split(' ').length;
    const script = `source <(capillary-relay completion bash)
      COMP_WORDS=(capillary-relay ${words}) COMP_CWORD=${count}
      _capillary_relay
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    expect(inShell('bash', ['--norc'], script)).toEqual(expected);
  });

  it('is registered for the command', () => {
    const script = 'source <(capillary-relay completion bash); complete -p capillary-relay';
    expect(inShell('bash', ['--norc'], script)).toEqual(['complete -F _capillary_relay capillary-relay']);
  });
});

describe.runIf(isInstalled('zsh'))('in zsh', () => {
  it('offers commands with their descriptions', () => {
    const script = `compdef() { : }; compadd() { print -l -- "\${shown[@]}" }
      source <(capillary-relay completion zsh)
      words=(capillary-relay dead-letters re); CURRENT=3
      _capillary_relay`;
    expect(inShell('zsh', ['-f'], script)[0]).toBe('replay  -- deliver dead letters again');
  });
});

describe.runIf(isInstalled('fish'))('in fish', () => {
  it('offers commands with their descriptions, and files', () => {
    const script = `capillary-relay completion fish | source
      complete -C 'capillary-relay dead-letters replay'
      complete -C 'capillary-relay check --config examples/relay.y'`;
    expect(inShell('fish', ['--no-config'], script)).toEqual([
      'replay\tdeliver dead letters again',
      expect.stringMatching(/^replays\t/),
      'examples/relay.yaml',
    ]);
  });
});

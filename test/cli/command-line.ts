import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to standard input. */
  readonly input?: string;
  /** Besides what the tests themselves run in, without anything of a relay's. */
  readonly env?: Readonly<Record<string, string>>;
}

const surroundings = (): Record<string, string | undefined> => ({
  ...process.env,
  RELAY_CONFIG: undefined,
  RELAY_ADMIN_TOKEN: undefined,
});

/** Runs the program as a person or a script does: a process of its own, without a terminal. */
export const run = async (words: readonly string[], options: RunOptions = {}): Promise<Ended> => {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...words], {
    env: { ...surroundings(), ...options.env },
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number | null, stdout, stderr };
};

/** Lines of a table, each cut into its cells. */
export const cellsOf = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to standard input. */
  readonly input?: string;
  /** Added to the environment of the tests, without the relay's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. */
  readonly cwd?: string;
}

function cleanEnvironment(): Record<string, string | undefined> {
  return {
    ...process.env,
    RELAY_CONFIG: undefined,
    RELAY_ADMIN_TOKEN: undefined,
  };
}

/** Starts the program, for a command that does not end by itself. */
export function start(...args: readonly string[]) {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    env: cleanEnvironment(),
  });
}

/** Runs the program in a process of its own, without a terminal. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args], {
    env: { ...cleanEnvironment(), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number | null, stdout, stderr };
}

/** Splits a table into lines, and each line into cells. */
export function cellsOf(table: string): string[][] {
  return table
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

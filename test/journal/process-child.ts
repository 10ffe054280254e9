import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Answered } from './busy-events.ts';

export interface JournalChild {
  readonly process: ChildProcess;
  /** Receipts printed so far. */
  readonly receipts: readonly string[];
  /** Resolves when the journal is open and this many receipts have been printed. */
  printed(count: number): Promise<void>;
  /** Exit code or signal and the output on stderr, after the process and its pipes have closed. */
  exited(): Promise<{ readonly code: number | string; readonly stderr: string }>;
}

function start(
  script: string,
  path: string,
  env: Record<string, string> = {},
  ...more: readonly string[]
): JournalChild {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, path, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const receipts: string[] = [];
  let stderr = '';
  const waiters: { count: number; resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== 'open') receipts.push(line);
    for (const waiter of waiters) if (receipts.length >= waiter.count) waiter.resolve();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  return {
    process: child,
    receipts,
    printed: (count) => new Promise((resolve) => waiters.push({ count, resolve })),
    exited: async () => {
      const [code, signal] = await closed;
      return { code: code ?? signal ?? '', stderr };
    },
  };
}

/** Starts a process that appends to the journal in the folder until it is killed. */
export function startAppending(path: string): JournalChild {
  return start('./appending-child.ts', path);
}

const SYNCED_VIEW = new URL('../helpers/synced-view.mjs', import.meta.url).href;

/**
 * Starts a process that appends to the journal in the folder and settles it until it is killed.
 * @param first number of its first event; see busy-events.ts
 * @param views of synced-view.mjs, which keeps what is synced
 */
export function startBusy(path: string, first: number, views?: Record<string, string>) {
  const env = views === undefined ? {} : { ...views, NODE_OPTIONS: `--import=${SYNCED_VIEW}` };
  const child = start('./busy-child.ts', path, env, `${first}`);
  return { ...child, answered: () => child.receipts.map((line) => JSON.parse(line) as Answered) };
}

/** Starts a process that replays many events and prints their receipts while the replay runs. */
export function startReplaying(path: string): JournalChild {
  return start('./replaying-child.ts', path);
}

/** Starts a process that re-encrypts the journal and prints the number of payloads of each step. */
export function startReencrypting(path: string, keys: readonly string[]): JournalChild {
  return start('./re-encrypting-child.ts', path, { KEYS: keys.join(' ') });
}

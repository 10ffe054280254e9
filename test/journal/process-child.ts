import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export interface JournalChild {
  readonly process: ChildProcess;
  /** Receipts printed so far. */
  readonly receipts: readonly string[];
  /** Resolves when it has the journal and so many receipts are printed. */
  printed(count: number): Promise<void>;
  /** Exit code or signal, and what it said on stderr, when it and its pipes have ended. */
  ended(): Promise<{ readonly code: number | string; readonly stderr: string }>;
}

const start = (script: string, path: string, env: Record<string, string> = {}): JournalChild => {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, path], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const receipts: string[] = [];
  let stderr = '';
  const waiting: { count: number; resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line !== 'open') receipts.push(line);
    for (const one of waiting) if (receipts.length >= one.count) one.resolve();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  return {
    process: child,
    receipts,
    printed: (count) => new Promise((resolve) => waiting.push({ count, resolve })),
    ended: async () => {
      const [code, signal] = await closed;
      return { code: code ?? signal ?? '', stderr };
    },
  };
};

/** Starts a process that appends to the journal in the folder until it is killed. */
export const startAppending = (path: string): JournalChild => start('./appending-child.ts', path);

/** Starts a process that replays many events and prints the receipts of its dead letters when it is in the middle of it. */
export const startReplaying = (path: string): JournalChild => start('./replaying-child.ts', path);

/** Starts a process that seals the journal in the folder anew, and prints how many payloads each step sealed. */
export const startResealing = (path: string, keys: readonly string[]): JournalChild =>
  start('./resealing-child.ts', path, { KEYS: keys.join(' ') });

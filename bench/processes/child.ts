import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Processes of this run; none outlives it. */
const everyone = new Set<ChildProcess>();
process.once('exit', () => everyone.forEach((child) => child.kill('SIGKILL')));

/** Ends a process and resolves when it is gone. */
export async function endChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/**
 * A Node process of this bench. Its output is thrown away, so that nobody spends time on reading it, but for errors, which are shown.
 * @param words what Node is given: flags, file, arguments
 */
export function startChild(words: readonly string[], ipc = false): ChildProcess {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...words], {
    stdio: ['ignore', 'ignore', 'inherit', ...(ipc ? ['ipc' as const] : [])],
  });
  everyone.add(child);
  child.once('exit', () => everyone.delete(child));
  return child;
}

/** Resolves when a process answers a GET with 200. Throws when it has ended instead. */
export async function waitUntilUp(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    const status = await fetch(url).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 0,
    );
    if (status === 200) return;
    await sleep(5);
  }
}

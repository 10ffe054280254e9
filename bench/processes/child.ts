import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_INTERVAL_MS = 5;

/** Running processes; they are killed when the bench exits. */
const allRunning = new Set<ChildProcess>();
process.once('exit', () => allRunning.forEach((child) => child.kill('SIGKILL')));

/** Stops a process and resolves when it has exited. */
export async function stopChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Starts a Node process. @param args arguments of Node: flags, file and its arguments */
export function startChild(args: readonly string[], ipc = false): ChildProcess {
  return startCommand(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { ipc });
}

/**
 * Its standard output is discarded, because reading it would take CPU time; its standard error is
 * shown.
 */
export function startCommand(
  command: string,
  args: readonly string[],
  { ipc = false, env = {} }: { readonly ipc?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): ChildProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit', ...(ipc ? ['ipc' as const] : [])],
    env: { ...process.env, ...env },
  });
  allRunning.add(child);
  child.once('exit', () => allRunning.delete(child));
  return child;
}

/** Polls until a GET is answered with 200. @throws Error if the process exits before that */
export async function waitUntilUp(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null)
      throw new Error(`${child.spawnargs.join(' ')} exited with ${child.exitCode}`);
    const status = await fetch(url).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 0,
    );
    if (status === 200) return;
    await sleep(POLL_INTERVAL_MS);
  }
}

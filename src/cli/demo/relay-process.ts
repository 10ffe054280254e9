import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type AdminClient, createAdminClient } from '../admin-client.ts';
import { CommandError } from '../command-error.ts';
import { ADMIN_TOKEN } from './demo-environment.ts';

/** A relay of the demo: `serve` as a process. */
export interface RelayProcess {
  /** `relay-2`. */
  readonly name: string;
  readonly intakeUrl: string;
  readonly admin: AdminClient;
  isRunning(): boolean;
  /** Ends the process; SIGKILL leaves it no time for anything. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
/** A relay that does not stop by then is killed. */
const STOP_TIMEOUT_MS = 10_000;

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

interface ReadyLine {
  readonly msg?: string;
  readonly intakeUrl?: string;
  readonly adminUrl?: string;
}

/** Reads the log until the relay is ready, and on, so that its pipe does not fill up. */
function whenReady(child: ChildProcess, name: string): Promise<Required<ReadyLine>> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    const fail = (what: string): void =>
      reject(new CommandError([`${name} ${what}:`, ...last.slice(-5)].join('\n')));
    const timeout = setTimeout(fail, START_TIMEOUT_MS, 'did not become ready');
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('the output of a relay must be a pipe');
    createInterface(stderr).on('line', (line) => last.push(line));
    createInterface(stdout).on('line', (line) => {
      const { msg, intakeUrl, adminUrl } = JSON.parse(line) as ReadyLine;
      if (msg !== 'ready' || intakeUrl === undefined || adminUrl === undefined) return;
      clearTimeout(timeout);
      resolve({ msg, intakeUrl, adminUrl });
    });
    child.once('close', () => {
      clearTimeout(timeout);
      fail('ended');
    });
  });
}

/**
 * Starts a relay with the program that runs now, and resolves when it is ready.
 * @throws CommandError with the end of its standard error
 */
export async function startRelayProcess(name: string, config: string): Promise<RelayProcess> {
  const [, program = ''] = process.argv;
  const child = spawn(process.execPath, [...process.execArgv, program, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  const { intakeUrl, adminUrl } = await whenReady(child, name);
  return {
    name,
    intakeUrl,
    admin: createAdminClient({ url: adminUrl, token: ADMIN_TOKEN }),
    isRunning: () => running.has(child),
    end: async (signal) => {
      child.kill(signal);
      const timeout = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timeout);
    },
  };
}

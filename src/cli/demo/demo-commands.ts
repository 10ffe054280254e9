import { spawn } from 'node:child_process';
import { CommandError } from '../command-error.ts';
import { shellWord } from '../explain/relay-options.ts';
import { print } from './demo-outcomes.ts';

/** A folder with its configuration, and the environment of the commands in it. */
export interface CommandPlace {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Shows a command and runs it with the program that runs now, as a user would. Its output is shown
 * below it.
 * @throws CommandError if it fails, or if the signal aborts
 */
export async function showCommand(
  { folder, env }: CommandPlace,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [, program = ''] = process.argv;
  print(`$ capillary-relay ${args.map(shellWord).join(' ')}`);
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    cwd: folder,
    env: { ...process.env, RELAY_CONFIG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let pending = '';
  const show = (chunk: Buffer): void => {
    const lines = (pending + chunk.toString()).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) print(`  ${line}`.trimEnd());
  };
  child.stdout.on('data', show);
  child.stderr.on('data', show);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (pending !== '') print(`  ${pending}`);
  print();
  if (code !== 0) throw new CommandError(`capillary-relay ${args[0]} ended with exit code ${code}`);
}

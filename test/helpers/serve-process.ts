import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts `serve` with a configuration of the test's own, and resolves when it is ready. */
export async function startServe(
  file: string,
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
) {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, 'serve', '--config', file],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: options.cwd, env: { ...process.env, ...options.env } },
  );
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  let output = '';
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const ready = new Promise<{ intakeUrl: string; adminUrl: string }>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as { msg?: string; intakeUrl: string; adminUrl: string };
      output += `${text}\n`;
      if (line.msg === 'ready') resolve(line);
    });
    child.once('exit', (code) => reject(new Error(`the relay exited with ${code}: ${output}`)));
  });
  const { intakeUrl, adminUrl } = await ready;
  return {
    intakeUrl,
    adminUrl,
    stop: async (signal: NodeJS.Signals): Promise<number | null> => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await exited;
      }
      return child.exitCode;
    },
  };
}

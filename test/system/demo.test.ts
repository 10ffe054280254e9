import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

interface DemoRun {
  readonly code: number | null;
  readonly output: string;
  /** What is left in the folder for temporary files. */
  readonly left: readonly string[];
}

async function runDemo(
  args: readonly string[] = [],
  onOutput?: (output: string, pid: number) => void,
): Promise<DemoRun> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-demo-test-'));
  // The server that root starts belongs to another user.
  chmodSync(folder, 0o755);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data.toString();
      onOutput?.(output, child.pid ?? 0);
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const left = readdirSync(folder);
  if (left.length === 0) rmdirSync(folder);
  return { code, output, left };
}

describe('npm run demo', () => {
  it('every event is accounted for, exit 0, no files left behind', async () => {
    const { code, output, left } = await runDemo();
    expect(output).toContain('Every event is accounted for.');
    expect(output.match(/received → landed/g)?.length).toBeGreaterThan(60);
    expect(output).toMatch(/accepted 96 = pending 0 \+ delivered \d+ \+ ignored \d+ \+ dead 0/);
    expect(output).toMatch(/^the lake +\d+ events, \d+ profile records \(\d+ sent again\), 0 lost/m);
    for (const command of ['init', 'provision apply', 'serve', 'register apply'])
      expect(output).toMatch(new RegExp(`^\\$ capillary-relay ${command}`, 'm'));
    expect(code).toBe(0);
    expect(left).toEqual([]);
  });

  it('--replicas 3: one is killed, the others take over, and every event is accounted for', async () => {
    const { code, output, left } = await runDemo(['--replicas', '3']);
    expect(output).toContain('Every event is accounted for.');
    expect(output).toMatch(/relay-2 is killed \(SIGKILL\); it owned 2[12] of 64 slots/);
    expect(output).toMatch(/taken over after \d+\.\d s: relay-1 32, relay-3 32/);
    for (const name of ['relay-1', 'relay-3']) {
      expect(output).toMatch(new RegExp(`^${name}: accepted 120 = pending 0 .* dead 0$`, 'm'));
      expect(output).toMatch(new RegExp(`^${name} +running +[1-9]\\d* +32$`, 'm'));
    }
    expect(output).toMatch(/^relay-2 +killed +[1-9]\d* +0$/m);
    expect(code).toBe(0);
    expect(left).toEqual([]);
  });

  it('--replicas 2: an interrupt ends everything, exit 1', async () => {
    let isSent = false;
    const { code, output, left } = await runDemo(['--replicas', '2'], (text, pid) => {
      if (isSent || !text.includes('ready; slots')) return;
      isSent = true;
      process.kill(pid, 'SIGTERM');
    });
    expect(output).toContain('the demo was interrupted');
    expect(code).toBe(1);
    expect(left).toEqual([]);
  });
});

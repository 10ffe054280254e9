import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

it('npm run demo: every event is accounted for, exit 0, no files left behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-demo-test-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'demo'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(output).toContain('Every event is accounted for.');
  expect(output.match(/received → landed/g)?.length).toBeGreaterThan(60);
  expect(output).toMatch(/accepted 80 = pending 0 \+ delivered \d+ \+ ignored \d+ \+ dead 0/);
  expect(code).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
  rmdirSync(folder);
});

import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { lockState } from '../../../src/cli/provision/state-lock.ts';

function stateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'relay.provision.json');
}

/** The highest process id that Linux can have is far below. */
const NOBODY = 2_000_000_000;

it('refuses a second run while the first one has the lock, and names it', async () => {
  const file = stateFile();
  const unlock = await lockState(file);
  await expect(lockState(file)).rejects.toThrow(`in use by process ${process.pid} on ${hostname()}`);
  await unlock();
  expect(existsSync(`${file}.lock`)).toBe(false);
  await (await lockState(file))();
});

it('takes over the lock of a killed process', async () => {
  const file = stateFile();
  writeFileSync(`${file}.lock`, JSON.stringify({ pid: NOBODY, host: hostname(), token: 'a' }));
  const unlock = await lockState(file);
  expect(JSON.parse(readFileSync(`${file}.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
  await unlock();
});

it('of a process on another machine, judges by the time of its last sign', async () => {
  const file = stateFile();
  writeFileSync(`${file}.lock`, JSON.stringify({ pid: NOBODY, host: 'elsewhere', token: 'a' }));
  await expect(lockState(file)).rejects.toThrow(`process ${NOBODY} on elsewhere`);
  const old = new Date(Date.now() - 120_000);
  utimesSync(`${file}.lock`, old, old);
  await (await lockState(file))();
});

it('of several that find the lock of a killed process, one gets it', async () => {
  const file = stateFile();
  writeFileSync(`${file}.lock`, JSON.stringify({ pid: NOBODY, host: hostname(), token: 'a' }));
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockState(file)));
  const unlocks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  expect(unlocks).toHaveLength(1);
  await unlocks[0]!();
});

it('says who may write where the folder cannot be written', async () => {
  await expect(lockState('/proc/nowhere/relay.provision.json')).rejects.toThrow(
    /cannot be written \(\w+\); fix/,
  );
});

it('says that the folder has to be made', async () => {
  const folder = `${stateFile()}.d`;
  await expect(lockState(`${folder}/relay.provision.json`)).rejects.toThrow(
    `(ENOENT); fix: make the folder ${folder}`,
  );
});

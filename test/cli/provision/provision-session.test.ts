import { existsSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openSession } from '../../../src/cli/provision/provision-session.ts';
import { lockState } from '../../../src/cli/provision/state-lock.ts';
import { setUpTwin } from './twin-rig.ts';

it('locks the state file before it reads it, so that no run overwrites what another has written', async () => {
  const { file, stateFile } = await setUpTwin();
  const unlock = await lockState(stateFile);
  writeFileSync(stateFile, 'being written');
  await expect(openSession({ config: file }, true)).rejects.toThrow('is in use by process');
  await unlock();
});

it('unlocks it when the session is closed, and if it cannot be opened', async () => {
  const { file, stateFile } = await setUpTwin();
  const session = await openSession({ config: file }, true);
  expect(existsSync(`${stateFile}.lock`)).toBe(true);
  await session.close();
  expect(existsSync(`${stateFile}.lock`)).toBe(false);
  writeFileSync(stateFile, 'damaged');
  await expect(openSession({ config: file }, true)).rejects.toThrow('is damaged');
  expect(existsSync(`${stateFile}.lock`)).toBe(false);
});

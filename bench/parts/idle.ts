import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../statistics.ts';
import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { cpuSeconds, residentMib } from '../processes/usage.ts';

/** A relay without anything to do, and its start. */
export const idle: Part = async ({ short, report: told }) => {
  const inlet = await startInlet();
  const folder = relayFolder(inlet);
  told('starts');
  const starts: number[] = [];
  for (let round = 0; round < (short ? 2 : 5); round += 1) {
    const relay = await folder.start();
    starts.push(relay.readyMs);
    await relay.end();
  }
  const relay = await folder.start();
  const seconds = short ? 3 : 10;
  told(`${seconds} s of nothing`);
  // What the start left to be done is not idleness.
  await sleep(2_000);
  const cpuBefore = cpuSeconds(relay.pid);
  await sleep(seconds * 1_000);
  const share = (cpuSeconds(relay.pid) - cpuBefore) / seconds;
  const resident = residentMib(relay.pid);
  await relay.end();
  folder.remove();
  await inlet.end();
  return [
    { what: 'start to ready, median', value: median(starts), unit: 'ms' },
    { what: 'resident memory', value: resident, unit: 'MiB' },
    { what: 'of one processor', value: share * 100, unit: '%' },
  ];
};

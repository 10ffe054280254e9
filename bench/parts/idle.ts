import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../part.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { cpuSeconds, residentMib } from '../processes/usage.ts';

const SETTLE_MS = 2_000;

/** A relay without events: its memory and its CPU use. */
export const idle: Part = async (bench) => {
  const inlet = await startInlet();
  const folder = relayFolder(bench, inlet);
  const relay = await folder.start();
  const seconds = bench.short ? 3 : 10;
  bench.log(`measuring for ${seconds} s`);
  // Wait until the work that follows a start has finished.
  await sleep(SETTLE_MS);
  const cpuBefore = cpuSeconds(relay.pid);
  await sleep(seconds * 1_000);
  const share = (cpuSeconds(relay.pid) - cpuBefore) / seconds;
  const resident = residentMib(relay.pid);
  await relay.stop();
  folder.remove();
  await inlet.stop();
  return [
    { what: 'resident memory', value: resident, unit: 'MiB' },
    { what: 'CPU use, of one CPU', value: share * 100, unit: '%' },
  ];
};

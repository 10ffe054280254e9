import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Part } from '../part.ts';
import { type CountingInlet, startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';
import { prepareSender, send } from '../processes/sender.ts';
import { median } from '../statistics.ts';
import { PEAK_RATE } from './steady.ts';

/** Time from the first request at the peak rate to the kill. */
const KILL_AFTER_MS = 2_000;
/** The sender goes on for so long; a start must be over by then. */
const SEND_SECONDS = 10;

async function readyWhenEmpty(bench: Bench, inlet: CountingInlet): Promise<number> {
  const folder = relayFolder(bench, inlet);
  const relay = await folder.start();
  await relay.stop();
  folder.remove();
  return relay.readyMs;
}

interface Restart {
  readonly readyMs: number;
  readonly refused: number;
  readonly awayMs: number;
}

/** Kills a relay that carries the peak rate and has accepted this many events before. */
async function restartUnderLoad(bench: Bench, inlet: CountingInlet, accepted: number): Promise<Restart> {
  const folder = relayFolder(bench, inlet);
  const relay = await folder.start();
  const job = { ...relay.webhook('header'), connections: 50 };
  await send({ ...job, events: { count: accepted, body: 'mixed', customers: 20_000, seed: 1 } });
  const count = PEAK_RATE * SEND_SECONDS;
  const events = { count, body: 'mixed', customers: 20_000, seed: 2 } as const;
  const sender = await prepareSender({ ...job, rate: PEAK_RATE, isPatient: true, events });
  const sending = sender.go();
  await sleep(KILL_AFTER_MS);
  await relay.stop('SIGKILL');
  const restarted = await folder.start();
  const { statuses, longestGapMs } = await sending;
  await restarted.stop('SIGKILL');
  folder.remove();
  return {
    readyMs: restarted.readyMs,
    refused: count - (statuses['200'] ?? 0),
    awayMs: longestGapMs,
  };
}

/** How long a relay takes to be ready, and what a sender sees of a restart after SIGKILL. */
export const restart: Part = async (bench) => {
  const rounds = Array.from({ length: bench.short ? 1 : 3 });
  const accepted = bench.short ? 5_000 : 20_000;
  const inlet = await startInlet();
  bench.log('starting with an empty store');
  const starts: number[] = [];
  for (const _ of rounds) starts.push(await readyWhenEmpty(bench, inlet));
  bench.log(`SIGKILL at ${PEAK_RATE}/s after ${accepted} events`);
  const restarts: Restart[] = [];
  for (const _ of rounds) restarts.push(await restartUnderLoad(bench, inlet, accepted));
  await inlet.stop();
  const middle = (field: keyof Restart): number => median(restarts.map((one) => one[field]));
  const ratioGoal = { most: 0.4 };
  return [
    { what: 'time to ready, empty store', value: median(starts), unit: 'ms', ratioGoal },
    { what: 'time to ready after SIGKILL under load', value: middle('readyMs'), unit: 'ms', ratioGoal },
    { what: 'time without an answer', value: middle('awayMs'), unit: 'ms' },
    { what: `webhooks without an answer at ${PEAK_RATE}/s`, value: middle('refused'), unit: '' },
  ];
};

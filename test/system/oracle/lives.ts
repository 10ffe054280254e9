import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, randomInteger } from '../../../src/simulator/random.ts';
import {
  type RelayConfig,
  type RelayProcess,
  relayFolder,
  type StartOptions,
} from '../../helpers/relay-process.ts';
import type { Findings } from './findings.ts';

/** Log lines below this level are not kept: a long run writes very many. */
const WARNING = 40;

/** One relay over one folder, through all its lives. */
export interface Lives {
  readonly folder: ReturnType<typeof relayFolder>;
  /** ms from the start of a process until it was ready, of each life that became so. */
  readonly starts: readonly number[];
  readonly kills: number;
  readonly terms: number;
  /** The relay that takes events, as soon as there is one. */
  up(): Promise<RelayProcess>;
  /** A life. Rejects when the process ends before it is ready. */
  start(options?: StartOptions): Promise<RelayProcess>;
  kill(): Promise<void>;
  term(): Promise<void>;
  /** As `term`, but for good: it is not counted. */
  rest(): Promise<void>;
  /** A life that is killed while it starts. */
  stillborn(afterMs: number): Promise<void>;
}

export const createLives = (config: RelayConfig, findings: Findings): Lives => {
  const folder = relayFolder(config);
  const starts: number[] = [];
  let running = Promise.withResolvers<RelayProcess>();
  let current: RelayProcess | undefined;
  let kills = 0;
  let terms = 0;

  const leave = (): RelayProcess | undefined => {
    const relay = current;
    if (current !== undefined) running = Promise.withResolvers();
    current = undefined;
    return relay;
  };

  const start = async (options: StartOptions = {}): Promise<RelayProcess> => {
    const began = performance.now();
    const relay = await folder.start({
      keeps: (line) => line['msg'] !== 'ready' && Number(line['level']) >= WARNING,
      ...options,
    });
    starts.push(performance.now() - began);
    current = relay;
    running.resolve(relay);
    void relay.exited.then(() => current === relay && leave());
    return relay;
  };

  const rest = async (): Promise<void> => {
    const relay = current;
    const code = await relay?.end('SIGTERM');
    if (current === relay) leave();
    if (code !== 0) findings.add(`SIGTERM ended with ${code}: ${JSON.stringify(relay?.log.slice(-3))}`);
  };

  return {
    folder,
    starts,
    get kills() {
      return kills;
    },
    get terms() {
      return terms;
    },
    up: () => running.promise,
    start,
    async kill() {
      kills += 1;
      await leave()?.end('SIGKILL');
    },
    async term() {
      terms += 1;
      await rest();
    },
    rest,
    async stillborn(afterMs) {
      kills += 1;
      let child: ChildProcess | undefined;
      const born = start({ spawned: (made) => (child = made) });
      await Promise.race([sleep(afterMs), born.catch(() => undefined)]);
      leave();
      child?.kill('SIGKILL');
      await born.then(
        (relay) => relay.exited,
        () => undefined,
      );
      leave();
    },
  };
};

/** Ends one life after another by chance until so many have ended; leaves the last one running. */
export const liveThrough = async (
  lives: Lives,
  options: {
    readonly random: Random;
    readonly kills: number;
    /** ms of a life on average. */
    readonly mean: number;
    readonly told: (text: string) => void;
  },
): Promise<void> => {
  const { random, told } = options;
  for (let ended = 0; ended < options.kills; ended += 1) {
    const started = performance.now();
    if (random() < 0.1) {
      const ms = randomInteger(random, 20, 500);
      await lives.stillborn(ms);
      told(`SIGKILL ${ms} ms after the start, before it was ready or just then`);
      continue;
    }
    await lives.start();
    told(`ready after ${Math.round(performance.now() - started)} ms`);
    const ms = Math.round(random() * options.mean * 2);
    await sleep(ms);
    const isKill = random() < 0.8;
    await (isKill ? lives.kill() : lives.term());
    told(`${isKill ? 'SIGKILL' : 'SIGTERM'} after ${ms} ms`);
  }
  await lives.start();
};

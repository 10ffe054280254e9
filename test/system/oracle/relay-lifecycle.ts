import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { verifyStore } from '../../../src/journal/sqlite/offline/verify.ts';
import { type Random, randomInteger } from '../../../src/simulator/random.ts';
import {
  type RelayConfig,
  type RelayProcess,
  relayFolder,
  type StartOptions,
} from '../../helpers/relay-process.ts';
import type { Findings } from './findings.ts';
import type { RelaysUnderTest } from './relays-under-test.ts';

/** Log lines of other levels are discarded, because a long run writes many of them. */
const KEPT_LEVELS: readonly unknown[] = ['warn', 'error', 'fatal'];

/** Share of kills that hit the relay while it starts. */
const KILL_DURING_START_SHARE = 0.1;
/** Share of the other stops that are kills; the rest are shutdowns. */
const KILL_SHARE = 0.8;

/** Starts and stops relay processes over one data folder, at most one at a time. */
export interface RelayLifecycle extends RelaysUnderTest {
  readonly folder: ReturnType<typeof relayFolder>;
  /** ms until each process was ready, of those that became ready. */
  readonly startupTimesMs: readonly number[];
  readonly kills: number;
  readonly shutdowns: number;
  /** Resolves once the new process is ready. @throws Error when it exits before that */
  start(options?: StartOptions): Promise<RelayProcess>;
  /** Stops the relay with SIGKILL. */
  kill(): Promise<void>;
  /** Stops the relay with SIGTERM. */
  shutDown(): Promise<void>;
  /** Starts a process and kills it while it starts. */
  killDuringStart(afterMs: number): Promise<void>;
}

export function createRelayLifecycle(config: RelayConfig, findings: Findings): RelayLifecycle {
  const folder = relayFolder(config);
  const startupTimesMs: number[] = [];
  let ready = Promise.withResolvers<RelayProcess>();
  let current: RelayProcess | undefined;
  let kills = 0;
  let shutdowns = 0;

  const clearCurrent = (): RelayProcess | undefined => {
    const relay = current;
    if (current !== undefined) ready = Promise.withResolvers();
    current = undefined;
    return relay;
  };

  const start = async (options: StartOptions = {}): Promise<RelayProcess> => {
    const started = performance.now();
    const relay = await folder.start({
      keepLine: (line) => KEPT_LEVELS.includes(line['level']),
      ...options,
    });
    startupTimesMs.push(performance.now() - started);
    current = relay;
    ready.resolve(relay);
    void relay.exited.then(() => current === relay && clearCurrent());
    return relay;
  };

  const stop = async (): Promise<void> => {
    const relay = current;
    const code = await relay?.stop('SIGTERM');
    if (current === relay) clearCurrent();
    if (code !== 0) findings.add(`exit code ${code} after SIGTERM: ${JSON.stringify(relay?.log.slice(-3))}`);
  };

  return {
    folder,
    startupTimesMs,
    get kills() {
      return kills;
    },
    get shutdowns() {
      return shutdowns;
    },
    config,
    configFile: folder.file,
    whenReady: () => ready.promise,
    intakeUrl: async () => (await ready.promise).intakeUrl,
    start,
    async kill() {
      kills += 1;
      await clearCurrent()?.stop('SIGKILL');
    },
    async shutDown() {
      shutdowns += 1;
      await stop();
    },
    stop,
    async checkStore() {
      for (const { check, detail } of verifyStore(join(folder.folder, 'data')))
        findings.add(`store: ${check}: ${detail}`);
    },
    remove: () => folder.remove(),
    async killDuringStart(afterMs) {
      kills += 1;
      let child: ChildProcess | undefined;
      const starting = start({ onSpawn: (spawned) => (child = spawned) });
      await Promise.race([sleep(afterMs), starting.catch(() => undefined)]);
      clearCurrent();
      child?.kill('SIGKILL');
      await starting.then(
        (relay) => relay.exited,
        () => undefined,
      );
      clearCurrent();
    },
  };
}

/**
 * Stops and restarts the relay at random times, `stops` times in total; leaves the last process
 * running.
 */
export async function restartAtRandom(
  lifecycle: RelayLifecycle,
  options: {
    readonly random: Random;
    /** Number of kills and shutdowns together. */
    readonly stops: number;
    /** Mean time between ready and the next stop, ms. */
    readonly meanUptimeMs: number;
    readonly log: (text: string) => void;
  },
): Promise<void> {
  const { random, log } = options;
  for (let stopped = 0; stopped < options.stops; stopped += 1) {
    const started = performance.now();
    if (random() < KILL_DURING_START_SHARE) {
      const ms = randomInteger(random, 20, 500);
      await lifecycle.killDuringStart(ms);
      log(`SIGKILL at most ${ms} ms after the start`);
      continue;
    }
    await lifecycle.start();
    log(`ready after ${Math.round(performance.now() - started)} ms`);
    const ms = Math.round(random() * options.meanUptimeMs * 2);
    await sleep(ms);
    const isKill = random() < KILL_SHARE;
    await (isKill ? lifecycle.kill() : lifecycle.shutDown());
    log(`${isKill ? 'SIGKILL' : 'SIGTERM'} after ${ms} ms`);
  }
  await lifecycle.start();
}

import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../random.ts';
import { createEventSource, FOLLOW_UP_NAMES, type GeneratedEvent } from '../event-source.ts';
import { createPopulation } from '../world/population.ts';
import type { World } from '../world/world.ts';

export interface RaiseOptions {
  /** Number of events. */
  readonly count: number;
  /** Events per second; default as fast as the clock allows, 1000. */
  readonly rate?: number | undefined;
  /** Names in equal shares; default all that have a change of the world. */
  readonly names?: readonly string[] | undefined;
  /** Number of customers at a time; default 50. */
  readonly customers?: number | undefined;
  /** Decides which events happen to whom; default another one for each run. */
  readonly seed?: number | undefined;
  /** Share of merges, erasures, returns, groups and unknown events; default 0.1. */
  readonly awkward?: number | undefined;
}

/** One event on its way to one webhook. */
export interface EventDelivery {
  readonly status: 'IN_PROGRESS' | 'SUCCESS' | 'FAILED';
  /** Requests so far. */
  readonly attempts: number;
  /** Of the last answer. */
  readonly responseStatus?: number;
  readonly durationMs?: number;
}

/** How far a run is. Events for several webhooks count once for each. */
export interface RunProgress {
  readonly id: string;
  readonly seed: number;
  readonly count: number;
  readonly raised: number;
  /** Raised events that no active webhook lists. */
  readonly unlisted: number;
  readonly accepted: number;
  /** Deliveries ended by a final answer, by its status. */
  readonly refused: Readonly<Record<string, number>>;
  /** Deliveries that were refused, or not accepted within Capillary's patience. */
  readonly givenUp: number;
  /** Deliveries that go on. */
  readonly underway: number;
  /** HTTP requests. */
  readonly attempts: number;
  /** Answer times of accepted deliveries; absent if there are none. */
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly isDone: boolean;
  /** Why no further event can be raised. */
  readonly error?: string;
}

/** Events being raised from the world. */
export interface EventRun {
  readonly id: string;
  /** Resolves when every event is raised; rejects if the world cannot make one. */
  readonly raised: Promise<readonly GeneratedEvent[]>;
  progress(): RunProgress;
  /** Resolves when every delivery has ended. */
  settled(signal?: AbortSignal): Promise<RunProgress>;
  /** Raises no further events. */
  stop(): void;
}

export interface RunWorld {
  readonly world: () => World;
  /** Queues the event for the webhooks that list it, and returns their deliveries. */
  readonly raise: (event: GeneratedEvent) => readonly EventDelivery[];
  /** Epoch ms. */
  readonly now: () => number;
}

/** Raises events from the world of one organisation. */
export interface EventRuns {
  /** @throws RangeError if the names cannot be raised */
  start(options: RaiseOptions): EventRun;
  list(): EventRun[];
  /** Stops and forgets every run. */
  clear(): void;
}

/** Ended runs to keep: each holds its events and their deliveries. */
const MAX_ENDED_RUNS = 20;
const POLL_MS = 20;
const DEFAULT_CUSTOMERS = 50;
const DEFAULT_AWKWARD = 0.1;

function percentile(sorted: readonly number[], share: number): number | undefined {
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  return value === undefined ? undefined : Math.round(value * 10) / 10;
}

function isFinal({ responseStatus = 0 }: EventDelivery): boolean {
  return responseStatus >= 400 && responseStatus < 500 && responseStatus !== 429;
}

function countDeliveries(deliveries: readonly EventDelivery[]) {
  const refused: Record<string, number> = {};
  const durations: number[] = [];
  let givenUp = 0;
  for (const delivery of deliveries) {
    if (delivery.status === 'SUCCESS') durations.push(delivery.durationMs ?? 0);
    if (delivery.status !== 'FAILED') continue;
    givenUp += 1;
    const status = String(delivery.responseStatus);
    if (isFinal(delivery)) refused[status] = (refused[status] ?? 0) + 1;
  }
  const sorted = durations.toSorted((a, b) => a - b);
  const p50Ms = percentile(sorted, 0.5);
  const p95Ms = percentile(sorted, 0.95);
  return {
    accepted: durations.length,
    refused,
    givenUp,
    underway: deliveries.length - durations.length - givenUp,
    attempts: deliveries.reduce((total, { attempts }) => total + attempts, 0),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p95Ms === undefined ? {} : { p95Ms }),
  };
}

interface RunState {
  readonly stop: AbortController;
  readonly deliveries: EventDelivery[];
  raised: number;
  unlisted: number;
  isRaised: boolean;
  error?: string;
}

function progressOf(
  { id, seed, count }: Pick<RunProgress, 'id' | 'seed' | 'count'>,
  { deliveries, raised, unlisted, isRaised, error }: RunState,
): RunProgress {
  const counts = countDeliveries(deliveries);
  return {
    id,
    seed,
    count,
    raised,
    unlisted,
    ...counts,
    isDone: isRaised && counts.underway === 0,
    ...(error === undefined ? {} : { error }),
  };
}

/** Why the names cannot be raised; undefined if they can. */
export function namesProblem({ names }: Pick<RaiseOptions, 'names'>): string | undefined {
  if (names === undefined || names.some((name) => !FOLLOW_UP_NAMES.includes(name))) return undefined;
  return `names: ${names.join(', ')} only follows another event, such as a return, a merge or a deletion`;
}

/** Waits so that the event is at its time: no two events of a world have the same millisecond. */
async function waitFor(at: number, now: () => number, signal: AbortSignal): Promise<void> {
  const wait = at - now();
  if (wait > 0) await sleep(wait, undefined, { signal });
}

export function createEventRuns({ world, raise, now }: RunWorld): EventRuns {
  const runs = new Map<string, EventRun>();
  let started = 0;
  let lastAt = 0;

  const raiseAll = async (
    options: RaiseOptions,
    seed: number,
    state: RunState,
  ): Promise<GeneratedEvent[]> => {
    const { count, rate, names, customers = DEFAULT_CUSTOMERS, awkward = DEFAULT_AWKWARD } = options;
    const random = createRandom(seed);
    const population = createPopulation(world(), customers, random);
    const source = createEventSource({ world: world(), population, random, names, awkward, isLive: true });
    const startedAt = now();
    const events: GeneratedEvent[] = [];
    const { signal } = state.stop;
    while (events.length < count && !signal.aborted) {
      const due = rate === undefined ? 0 : startedAt + (events.length * 1_000) / rate;
      await waitFor(Math.max(lastAt + 1, due), now, signal).catch(() => undefined);
      if (signal.aborted) break;
      lastAt = Math.max(lastAt + 1, now());
      const event = source.next(lastAt);
      events.push(event);
      const deliveries = raise(event);
      if (deliveries.length === 0) state.unlisted += 1;
      state.deliveries.push(...deliveries);
      state.raised += 1;
    }
    state.isRaised = true;
    return events;
  };

  const forgetEnded = (): void => {
    const ended = [...runs.values()].filter((run) => run.progress().isDone);
    for (const { id } of ended.slice(0, -MAX_ENDED_RUNS)) runs.delete(id);
  };

  return {
    start: (options) => {
      const problem = namesProblem(options);
      if (problem !== undefined) throw new RangeError(problem);
      started += 1;
      const id = String(started);
      const seed = options.seed ?? world().seed * 1_009 + started;
      const stop = new AbortController();
      const state: RunState = { stop, deliveries: [], raised: 0, unlisted: 0, isRaised: false };
      const raised = raiseAll(options, seed, state).finally(() => {
        state.isRaised = true;
      });
      raised.catch((error: unknown) => {
        state.error = String(error);
      });
      const progress = (): RunProgress => progressOf({ id, seed, count: options.count }, state);
      const run: EventRun = {
        id,
        raised,
        progress,
        settled: async (signal) => {
          await raised;
          while (!progress().isDone) await sleep(POLL_MS, undefined, signal ? { signal } : {});
          return progress();
        },
        stop: () => stop.abort(),
      };
      forgetEnded();
      runs.set(id, run);
      return run;
    },
    list: () => [...runs.values()],
    clear: () => {
      for (const run of runs.values()) run.stop();
      runs.clear();
    },
  };
}

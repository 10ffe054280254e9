import type { LastAnswer } from '../adobe/ports.ts';
import type { Config, DestinationConfig } from '../config/config-schema.ts';
import type { Journal, OperatorPause } from '../journal/journal.ts';
import { createProgramCatalogue } from '../mapping/program-catalogue.ts';
import type { ContactRegister } from './contact-register.ts';
import type { DestinationStatus } from './destination-state.ts';
import type { Pace } from './pace.ts';
import { JOURNAL_RETRY_MS } from './pipeline.ts';
import {
  contactsOf,
  createDestination,
  type DestinationParts,
  isMappedAlike,
  needsReplacement,
  retireDestination,
  type RunningDestination,
} from './running-destination.ts';
import { pause as waitFor } from './scheduling.ts';

export interface Destinations {
  /** In the order of the configuration. */
  readonly all: readonly RunningDestination[];
  get(name: string): RunningDestination | undefined;
  /**
   * Reroutes pending events, restores the pauses that operators set before a restart and what is
   * known of loyalty programs, and starts.
   */
  start(): Promise<void>;
  stop(): Promise<void>;
  /**
   * Moves each source's pending events to the destination that is configured now. Needed after a
   * replay too, because a dead letter keeps its old destination.
   */
  reroute(): Promise<void>;
  pause(name: string, by: string): Promise<void>;
  resume(name: string): Promise<void>;
  /**
   * Prepares another configuration. The returned function puts it into use at once: an event whose
   * processing has begun ends with the old configuration, and the next one begins with the new.
   */
  prepare(next: Config): Promise<() => void>;
  /** Applies rotated client secrets. A destination with changed ones makes its next try at once. */
  setSecrets(destinations: readonly DestinationConfig[]): void;
}

/**
 * After this time, events of requests that had begun before a reload are stored too; some may have
 * the destination that their source had then.
 */
const LATE_EVENTS_MS = 60_000;

export function createDestinations(
  options: Omit<DestinationParts, 'programs'> & { readonly config: Config },
): Destinations {
  const { journal, now, observer } = options;
  const programs = createProgramCatalogue();
  const parts: DestinationParts = { ...options, programs };
  let { config } = options;
  const pauses = new Map<string, OperatorPause>();
  const stopping = new AbortController();
  /** Replaced destinations that finish what is in flight. */
  const retiring = new Map<RunningDestination, Promise<void>>();
  const registers: ContactRegister[] = [];
  let all = config.destinations.map((destination) => {
    const contacts = contactsOf(parts, destination);
    if (contacts !== undefined) registers.push(contacts);
    return createDestination(parts, destination, { sources: sourcesOf(config, destination), contacts });
  });
  const get = (name: string): RunningDestination | undefined =>
    all.find((running) => running.config.name === name);

  const reroute = async (): Promise<void> => {
    for (const source of config.sources) await journal.reroute(source.name, source.destination);
  };

  /** Reroutes until it succeeds, and once more for the events that were on their way. */
  const rerouteAll = async (): Promise<void> => {
    for (const delayMs of [0, LATE_EVENTS_MS]) {
      await waitFor(delayMs, stopping.signal);
      let isDone = false;
      while (!isDone && !stopping.signal.aborted) {
        try {
          await reroute();
          for (const { dispatcher } of all) dispatcher.wake();
          isDone = true;
        } catch (error) {
          observer.errorCaught('all', 'events could not be rerouted; it will be retried', error);
          await waitFor(JOURNAL_RETRY_MS, stopping.signal);
        }
      }
    }
  };

  const retire = (old: RunningDestination, successor: RunningDestination | undefined): void => {
    const { name } = old.config;
    // The successor by then: a further reload may have replaced it.
    const retired = retireDestination(old, successor, () => get(name)?.dispatcher.wake())
      .catch((error: unknown) => observer.errorCaught(name, 'it could not be closed', error))
      .finally(() => retiring.delete(old));
    retiring.set(old, retired);
  };

  const setSecrets = (destinations: readonly DestinationConfig[]): void => {
    for (const { name, ims } of destinations) {
      const destination = get(name);
      if (destination?.tokens === undefined || ims === undefined) continue;
      // Only the owner of a changed secret: the wait of another may be one that Adobe asked for.
      if (destination.tokens.setSecrets(ims.clientSecrets)) destination.dispatcher.retryNow();
    }
  };

  /** The destination as it is configured next, and what starts it. */
  const successorOf = (
    next: Config,
    destination: DestinationConfig,
    loaded: ReadonlyMap<string, ContactRegister | undefined>,
  ): RunningDestination => {
    const { name } = destination;
    const sources = sourcesOf(next, destination);
    const contacts = loaded.get(name);
    const old = get(name);
    if (old !== undefined && !needsReplacement(old.config, destination)) {
      const { dispatcher } = old;
      if (loaded.has(name)) dispatcher.setSources(sources, contacts);
      // What Adobe refuses may pass with another mapping.
      if (loaded.has(name) && dispatcher.state.status().state === 'paused') dispatcher.retryNow();
      return { ...old, config: destination, sources };
    }
    const pause = pauses.get(name);
    return createDestination(parts, destination, { sources, contacts, predecessor: old, pause });
  };

  const commit = (next: Config, loaded: ReadonlyMap<string, ContactRegister | undefined>): void => {
    const before = all;
    all = next.destinations.map((destination) => successorOf(next, destination, loaded));
    const isRerouted = !isRoutedAlike(config, next);
    config = next;
    for (const old of before) {
      const successor = get(old.config.name);
      if (successor?.dispatcher !== old.dispatcher) retire(old, successor);
    }
    setSecrets(next.destinations);
    for (const { dispatcher } of all) dispatcher.start();
    if (isRerouted) void rerouteAll();
  };

  return {
    get all() {
      return all;
    },
    get,
    reroute,
    async start() {
      await reroute();
      await Promise.all(registers.map((register) => register.load()));
      for (const stored of await journal.programs()) programs.load(stored);
      for (const pause of await journal.pauses()) {
        pauses.set(pause.destination, pause);
        get(pause.destination)?.dispatcher.state.pauseByOperator(pause.by, pause.at);
      }
      for (const { dispatcher } of all) dispatcher.start();
    },
    async stop() {
      stopping.abort();
      const ending = [...all, ...retiring.keys()];
      await Promise.all(ending.map(({ dispatcher }) => dispatcher.stop()));
      await Promise.all(retiring.values());
      await Promise.all(ending.map(({ inlet }) => inlet.close()));
      for (const { tokens } of ending) tokens?.close();
    },
    async pause(name, by) {
      if (get(name) === undefined) return;
      const pause = { destination: name, by, at: now() };
      await journal.setPause(name, pause);
      pauses.set(name, pause);
      get(name)?.dispatcher.state.pauseByOperator(by, pause.at);
    },
    async resume(name) {
      await journal.setPause(name, null);
      pauses.delete(name);
      get(name)?.tokens?.retryNow();
      get(name)?.dispatcher.resume();
    },
    async prepare(next) {
      const loaded = new Map<string, ContactRegister | undefined>();
      for (const destination of next.destinations) {
        const old = get(destination.name);
        const isKept =
          old !== undefined &&
          !needsReplacement(old.config, destination) &&
          isMappedAlike(old.sources, sourcesOf(next, destination));
        if (!isKept) loaded.set(destination.name, contactsOf(parts, destination));
      }
      await Promise.all([...loaded.values()].map(async (contacts) => contacts?.load()));
      return () => commit(next, loaded);
    },
    setSecrets,
  };
}

function sourcesOf({ sources }: Config, { name }: DestinationConfig): Config['sources'] {
  return sources.filter((source) => source.destination === name);
}

/** Whether every source has the destination that it had before. */
function isRoutedAlike(before: Config, after: Config): boolean {
  const known = new Map(before.sources.map(({ name, destination }) => [name, destination]));
  return after.sources.every(({ name, destination }) => known.get(name) === destination);
}

/** The current state of a destination. Times are epoch ms. */
export interface DestinationSnapshot extends DestinationStatus {
  readonly name: string;
  /** Events claimed and not settled. */
  readonly inFlight: number;
  /** Requests in flight. */
  readonly concurrency: Pace['slots'];
  readonly tokenSecondsLeft: number | undefined;
  /** To the latest requests of this process, whatever the reason for which it has stopped. */
  readonly lastAnswers: { readonly inlet: LastAnswer | undefined; readonly ims: LastAnswer | undefined };
  readonly pending: number;
  /** Time of receipt of the oldest pending event. */
  readonly oldestPendingAt: number | undefined;
  readonly batch: DestinationConfig['batch'];
  readonly limits: DestinationConfig['limits'];
}

/** What operators can see and do. */
export interface DestinationDirectory {
  list(): Promise<DestinationSnapshot[]>;
  /** Both functions resolve when the change is in effect and stored. */
  get(name: string):
    | {
        pause(by: string): Promise<void>;
        resume(): Promise<void>;
      }
    | undefined;
}

export function createDestinationDirectory(
  destinations: Destinations,
  journal: Pick<Journal, 'backlog'>,
): DestinationDirectory {
  return {
    async list() {
      const backlog = new Map((await journal.backlog()).map((entry) => [entry.destination, entry]));
      return destinations.all.map(({ config, dispatcher, tokens }) => ({
        name: config.name,
        ...dispatcher.state.status(),
        inFlight: dispatcher.inFlight,
        concurrency: dispatcher.pace.slots,
        tokenSecondsLeft: tokens?.secondsLeft(),
        lastAnswers: { inlet: dispatcher.lastAnswer, ims: tokens?.lastAnswer() },
        pending: backlog.get(config.name)?.pending ?? 0,
        oldestPendingAt: backlog.get(config.name)?.oldestReceivedAt,
        batch: config.batch,
        limits: config.limits,
      }));
    },
    get(name) {
      if (destinations.get(name) === undefined) return undefined;
      return {
        pause: (by) => destinations.pause(name, by),
        resume: () => destinations.resume(name),
      };
    },
  };
}

import { isDeepStrictEqual } from 'node:util';
import type { Config, DestinationConfig } from '../config/config-schema.ts';
import type { FleetNotice } from '../journal/journal.ts';
import { createProgramCatalogue } from '../mapping/program-catalogue.ts';
import {
  type ContactRegister,
  createSharedContacts,
  loadShared,
  type SharedContacts,
} from './contact-register.ts';
import { followReplicas } from './follow-replicas.ts';
import { createMisplaced, type Misplaced } from './misplaced-events.ts';
import { createOperatorPauses } from './operator-pauses.ts';
import { JOURNAL_RETRY_MS } from './settler.ts';
import { loadPrograms } from './store-programs.ts';
import {
  contactsOf,
  createDestination,
  type DestinationParts,
  isMappedAlike,
  needsReplacement,
  retireDestination,
  retryOtherWay,
  type RunningDestination,
} from './running-destination.ts';
import { pause as waitFor } from './scheduling.ts';
import { createSentRecordReader, type SentRecordReader } from './sent-record-reader.ts';

export interface Destinations {
  /** In the order of the configuration. */
  readonly all: readonly RunningDestination[];
  get(name: string): RunningDestination | undefined;
  /** Events claimed and not settled, also by what a reload has replaced. */
  inFlight(name: string): number;
  /**
   * Restores the pauses that operators set before a restart and what is known of loyalty programs,
   * and starts. Pending events stay where they are: see `reroute`.
   */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Pending events at a destination that their source no longer has. */
  readonly misplaced: Misplaced;
  /**
   * Moves the pending events of a source, or of all sources, to the destination that is configured
   * now. @param by the operator, for the history of each event @returns how many were moved
   */
  reroute(by: string, source?: string): Promise<number>;
  pause(name: string, by: string): Promise<void>;
  resume(name: string): Promise<void>;
  /**
   * Prepares another configuration. The returned function puts it into use at once: an event whose
   * processing has begun ends with the old configuration, and the next one begins with the new.
   */
  prepare(next: Config): Promise<() => void>;
  /** Applies rotated client secrets. A destination with changed ones makes its next try at once. */
  setSecrets(destinations: readonly DestinationConfig[]): void;
  /** Makes again what was sent to a destination, with the configuration of the time of the call. */
  sentRecords(name: string): SentRecordReader;
}

/** How old it can be what this replica knows of what others have learnt. */
const KNOWLEDGE_MS = 10_000;

/** Stands for the operator in the history of events that a reload moves. */
const CONFIGURATION = 'configuration';

export function createDestinations(
  options: Omit<DestinationParts, 'programs' | 'isMoving'> & { readonly config: Config },
): Destinations {
  const { journal, observer } = options;
  const programs = createProgramCatalogue();
  /**
   * Sources whose pending events are being moved to another destination, with the number of reloads
   * that do so. None of their events is claimed meanwhile: a later one could be sent first.
   */
  const moving = new Map<string, number>();
  const parts: DestinationParts = { ...options, programs, isMoving: (source) => moving.has(source) };
  let { config } = options;
  const stopping = new AbortController();
  /** Replaced destinations that finish what is in flight. */
  const retiring = new Map<RunningDestination, Promise<void>>();
  const sharedContacts = new Map<string, SharedContacts>();
  const registerOf = (destination: DestinationConfig): ContactRegister | undefined => {
    const shared = sharedContacts.get(destination.name) ?? createSharedContacts();
    sharedContacts.set(destination.name, shared);
    return contactsOf(parts, destination, shared);
  };
  const registers: ContactRegister[] = [];
  let all = config.destinations.map((destination) => {
    const contacts = registerOf(destination);
    if (contacts !== undefined) registers.push(contacts);
    return createDestination(parts, destination, { sources: sourcesOf(config, destination), contacts });
  });
  const get = (name: string): RunningDestination | undefined =>
    all.find((running) => running.config.name === name);

  const pauses = createOperatorPauses({
    journal,
    apply: (name, pause) => {
      const destination = get(name);
      if (pause === undefined) {
        destination?.tokens?.retryNow();
        destination?.dispatcher.resume();
      } else destination?.dispatcher.state.pauseByOperator(pause.by, pause.at);
    },
    onError: (error) => onError(error),
  });

  /** What other replicas have learnt; a pause is left to `pauses`. */
  const heed = (notice: FleetNotice): void => {
    const destination = get(notice.destination);
    if (notice.kind === 'throttled') destination?.dispatcher.slowDownFor(notice.forMs);
    if (notice.kind !== 'retry-now') return;
    destination?.tokens?.retryNow();
    destination?.dispatcher.retryNow();
  };

  const onError = (error: unknown): void =>
    observer.errorCaught('all', 'what other replicas have done could not be read', error);

  /** What other replicas have learnt from events. */
  const loadKnowledge = async (): Promise<void> => {
    await loadPrograms(programs, journal);
    for (const [name, shared] of sharedContacts) await loadShared(journal, name, shared);
  };

  let unsubscribe: (() => void) | undefined;
  const followOthers = (): void => {
    if (unsubscribe !== undefined) return;
    unsubscribe = journal.onNotice(heed);
    const { signal } = stopping;
    void pauses.follow(signal);
    void followReplicas(journal, KNOWLEDGE_MS, loadKnowledge, { signal, onError });
  };

  const misplaced = createMisplaced(journal, () => config.sources);

  const rerouteNow = async (names: readonly string[], by: string): Promise<number> => {
    let sum = 0;
    for (const { name, destination } of config.sources)
      if (names.includes(name)) sum += (await journal.reroute(name, destination, by)).rerouted;
    return sum;
  };

  /** While it works, none of the events of these sources is claimed. */
  const whileMoving = async <T>(names: readonly string[], work: () => Promise<T>): Promise<T> => {
    for (const name of names) moving.set(name, (moving.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      for (const name of names) {
        const others = (moving.get(name) ?? 1) - 1;
        if (others > 0) moving.set(name, others);
        else moving.delete(name);
      }
      for (const { dispatcher } of all) dispatcher.wake();
    }
  };

  /** Moves the events of these sources to where they send now; repeats it until it succeeds. */
  const move = (names: readonly string[]): Promise<void> =>
    whileMoving(names, async () => {
      while (!stopping.signal.aborted) {
        try {
          await rerouteNow(names, CONFIGURATION);
          return;
        } catch (error) {
          observer.errorCaught('all', 'events could not be rerouted; it will be retried', error);
          await waitFor(JOURNAL_RETRY_MS, stopping.signal);
        }
      }
    });

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
    const moved = movedSources(config, next);
    const isOtherWay = !isDeepStrictEqual(config.egress, next.egress);
    config = next;
    if (moved.length > 0) void move(moved);
    for (const old of before) {
      const successor = get(old.config.name);
      if (successor?.dispatcher !== old.dispatcher) retire(old, successor);
    }
    setSecrets(next.destinations);
    if (isOtherWay) for (const destination of all) retryOtherWay(destination);
    for (const { dispatcher } of all) dispatcher.start();
  };

  return {
    get all() {
      return all;
    },
    get,
    inFlight: (name) =>
      [...all, ...retiring.keys()]
        .filter(({ config: { name: other } }) => other === name)
        .reduce((sum, { dispatcher }) => sum + dispatcher.inFlight, 0),
    misplaced,
    async reroute(by, source) {
      const names = config.sources.map(({ name }) => name).filter((name) => name === (source ?? name));
      const rerouted = await whileMoving(names, () => rerouteNow(names, by));
      await misplaced.check();
      return rerouted;
    },
    async start() {
      await Promise.all(registers.map((register) => register.load()));
      await loadPrograms(programs, journal);
      await pauses.load();
      followOthers();
      for (const { dispatcher } of all) dispatcher.start();
    },
    async stop() {
      stopping.abort();
      unsubscribe?.();
      const ending = [...all, ...retiring.keys()];
      await Promise.all(ending.map(({ dispatcher }) => dispatcher.stop()));
      await Promise.all(retiring.values());
      await Promise.all(ending.map(({ inlet }) => inlet.close()));
      for (const { tokens } of ending) tokens?.close();
    },
    async pause(name, by) {
      if (get(name) !== undefined) await pauses.pause(name, by);
    },
    resume: (name) => pauses.resume(name),
    async prepare(next) {
      const loaded = new Map<string, ContactRegister | undefined>();
      for (const destination of next.destinations) {
        const old = get(destination.name);
        const isKept =
          old !== undefined &&
          !needsReplacement(old.config, destination) &&
          isMappedAlike(old.sources, sourcesOf(next, destination));
        if (!isKept) loaded.set(destination.name, registerOf(destination));
      }
      await Promise.all([...loaded.values()].map(async (contacts) => contacts?.load()));
      return () => commit(next, loaded);
    },
    setSecrets,
    sentRecords: (name) =>
      createSentRecordReader({
        journal,
        programs,
        running: () => get(name),
        shared: () => sharedContacts.get(name),
      }),
  };
}

function sourcesOf({ sources }: Config, { name }: DestinationConfig): Config['sources'] {
  return sources.filter((source) => source.destination === name);
}

/** Names of the sources that did not have their destination before. */
function movedSources(before: Config, after: Config): readonly string[] {
  const known = new Map(before.sources.map(({ name, destination }) => [name, destination]));
  return after.sources
    .filter(({ name, destination }) => known.get(name) !== destination)
    .map(({ name }) => name);
}

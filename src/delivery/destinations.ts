import type { Inlet, LastAnswer, TokenSource } from '../adobe/ports.ts';
import type { IdentifierKind } from '../capillary/identifiers.ts';
import type { Config, DestinationConfig } from '../config/config-schema.ts';
import type { Journal } from '../journal/journal.ts';
import { type ContactRegister, createContactRegister } from './contact-register.ts';
import type { DeliveryObserver } from './delivery-observer.ts';
import type { DestinationStatus } from './destination-state.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import type { Pace } from './pace.ts';
import { createProgramCatalogue } from '../mapping/program-catalogue.ts';

/** One destination and the parts that deliver to it. */
export interface RunningDestination {
  readonly config: DestinationConfig;
  readonly dispatcher: Dispatcher;
  readonly inlet: Inlet;
  readonly tokens: TokenSource | undefined;
}

export interface Destinations {
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
  /** Applies rotated client secrets. A destination with changed ones makes its next try at once. */
  setSecrets(destinations: readonly DestinationConfig[]): void;
}

export function createDestinations(parts: {
  readonly config: Config;
  readonly journal: Journal;
  readonly observer: DeliveryObserver;
  readonly now: () => number;
  readonly createInlet: (destination: DestinationConfig) => Inlet;
  readonly createTokens: (destination: DestinationConfig) => TokenSource | undefined;
}): Destinations {
  const { config, journal, now } = parts;
  const programs = createProgramCatalogue();
  const registers: ContactRegister[] = [];
  const running = new Map(
    config.destinations.map((destination): [string, RunningDestination] => {
      const inlet = parts.createInlet(destination);
      const tokens = parts.createTokens(destination);
      const sources = config.sources.filter((source) => source.destination === destination.name);
      const { observer } = parts;
      // In raw format Data Prep builds the identities.
      const contacts =
        destination.format === 'raw'
          ? undefined
          : createContactRegister({
              destination: destination.name,
              kinds: new Set(Object.keys(destination.identity.namespaces) as IdentifierKind[]),
              journal,
              observer,
            });
      if (contacts !== undefined) registers.push(contacts);
      const dispatcher = createDispatcher({
        destination,
        sources,
        journal,
        programs,
        contacts,
        inlet,
        tokens,
        observer,
        now,
      });
      return [destination.name, { config: destination, dispatcher, inlet, tokens }];
    }),
  );
  const all = [...running.values()];
  const reroute = async (): Promise<void> => {
    for (const source of config.sources) await journal.reroute(source.name, source.destination);
  };

  return {
    all,
    get: (name) => running.get(name),
    reroute,
    async start() {
      await reroute();
      await Promise.all(registers.map((register) => register.load()));
      for (const stored of await journal.programs()) programs.load(stored);
      for (const pause of await journal.pauses()) {
        running.get(pause.destination)?.dispatcher.state.pauseByOperator(pause.by, pause.at);
      }
      for (const { dispatcher } of all) dispatcher.start();
    },
    async stop() {
      await Promise.all(all.map(({ dispatcher }) => dispatcher.stop()));
      await Promise.all(all.map(({ inlet }) => inlet.close()));
      for (const { tokens } of all) tokens?.close();
    },
    async pause(name, by) {
      const destination = running.get(name);
      if (destination === undefined) return;
      const at = now();
      await journal.setPause(name, { destination: name, by, at });
      destination.dispatcher.state.pauseByOperator(by, at);
    },
    async resume(name) {
      await journal.setPause(name, null);
      running.get(name)?.tokens?.retryNow();
      running.get(name)?.dispatcher.resume();
    },
    setSecrets(destinations) {
      for (const { name, ims } of destinations) {
        const destination = running.get(name);
        if (destination?.tokens === undefined || ims === undefined) continue;
        // Only the owner of a changed secret: the wait of another may be one that Adobe asked for.
        if (destination.tokens.setSecrets(ims.clientSecrets)) destination.dispatcher.retryNow();
      }
    },
  };
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

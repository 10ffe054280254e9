import type { Inlet, TokenSource } from '../adobe/answer.ts';
import type { Config, DestinationConfig } from '../config/schema.ts';
import type { Journal } from '../journal/journal.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import type { DeliveryObserver } from './observer.ts';

/** One destination at work. */
export interface RunningDestination {
  readonly config: DestinationConfig;
  readonly dispatcher: Dispatcher;
  readonly inlet: Inlet;
  readonly tokens: TokenSource | undefined;
}

export interface Destinations {
  readonly all: readonly RunningDestination[];
  get(name: string): RunningDestination | undefined;
  /** Takes up what operators paused before a restart, sends each source's pending events where it points now, and starts. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Points each source's pending events at the destination it is configured for: after a replay too, for a dead letter keeps its old one. */
  reroute(): Promise<void>;
  pause(name: string, by: string): Promise<void>;
  resume(name: string): Promise<void>;
  /** Client secrets that were rotated. */
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
  const running = new Map(
    config.destinations.map((destination): [string, RunningDestination] => {
      const inlet = parts.createInlet(destination);
      const tokens = parts.createTokens(destination);
      const sources = config.sources.filter((source) => source.destination === destination.name);
      const { observer } = parts;
      const dispatcher = createDispatcher({ destination, sources, journal, inlet, tokens, observer, now });
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
      for (const pause of await journal.pauses()) {
        running.get(pause.destination)?.dispatcher.state.operatorPause(pause.by, pause.at);
      }
      for (const one of all) one.dispatcher.start();
    },
    async stop() {
      await Promise.all(all.map((one) => one.dispatcher.stop()));
      await Promise.all(all.map((one) => one.inlet.close()));
      for (const one of all) one.tokens?.close();
    },
    async pause(name, by) {
      const one = running.get(name);
      if (one === undefined) return;
      const at = now();
      await journal.setPause(name, { destination: name, by, at });
      one.dispatcher.state.operatorPause(by, at);
    },
    async resume(name) {
      await journal.setPause(name, null);
      running.get(name)?.tokens?.retryNow();
      running.get(name)?.dispatcher.resume();
    },
    setSecrets(destinations) {
      for (const destination of destinations) {
        const one = running.get(destination.name);
        if (one?.tokens === undefined || destination.ims === undefined) continue;
        one.tokens.setSecrets(destination.ims.clientSecrets);
        one.dispatcher.retryNow();
      }
    },
  };
}

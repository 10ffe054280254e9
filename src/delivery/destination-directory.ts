import type { LastAnswer } from '../adobe/ports.ts';
import type { DestinationConfig } from '../config/config-schema.ts';
import type { Journal, ReplicaStatus } from '../journal/journal.ts';
import type { DestinationStatus } from './destination-state.ts';
import type { Destinations } from './destinations.ts';
import type { MisplacedEvents } from './misplaced-events.ts';
import type { Pace } from './pace.ts';

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
  /** The replicas in which the state or its reason is another one than here. */
  readonly otherReplicas: readonly ReplicaDestination[];
  readonly pending: number;
  /** Time of receipt of the oldest pending event. */
  readonly oldestPendingAt: number | undefined;
  readonly batch: DestinationConfig['batch'];
  readonly limits: DestinationConfig['limits'];
}

/** How another replica has a destination. */
export interface ReplicaDestination {
  /** Name of the replica. */
  readonly replica: string;
  readonly state: string;
  readonly reason?: string;
  /** Events claimed and not settled there. */
  readonly inFlight: number;
}

function differingFrom(
  { state, reason }: DestinationStatus,
  destination: string,
  replicas: readonly ReplicaStatus[],
): ReplicaDestination[] {
  return replicas.flatMap(({ name, isSelf, report }) => {
    const there = report.destinations?.[destination];
    if (isSelf || there === undefined) return [];
    return there.state === state && there.reason === reason ? [] : [{ replica: name, ...there }];
  });
}

/** What operators can see and do. */
export interface DestinationDirectory {
  list(): Promise<DestinationSnapshot[]>;
  /** Pending events at a destination that their source no longer has. */
  misplaced(): Promise<readonly MisplacedEvents[]>;
  /** As they were last counted. */
  knownMisplaced(): readonly MisplacedEvents[];
  /** See Destinations. */
  reroute(by: string, source?: string): Promise<number>;
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
  journal: Pick<Journal, 'backlog' | 'replicas'>,
): DestinationDirectory {
  return {
    async list() {
      const [entries, replicas] = await Promise.all([journal.backlog(), journal.replicas()]);
      const backlog = new Map(entries.map((entry) => [entry.destination, entry]));
      return destinations.all.map(({ config, dispatcher, tokens }) => ({
        name: config.name,
        ...dispatcher.state.status(),
        otherReplicas: differingFrom(dispatcher.state.status(), config.name, replicas),
        inFlight: destinations.inFlight(config.name),
        concurrency: dispatcher.pace.slots,
        tokenSecondsLeft: tokens?.secondsLeft(),
        lastAnswers: { inlet: dispatcher.lastAnswer, ims: tokens?.lastAnswer() },
        pending: backlog.get(config.name)?.pending ?? 0,
        oldestPendingAt: backlog.get(config.name)?.oldestReceivedAt,
        batch: config.batch,
        limits: config.limits,
      }));
    },
    misplaced: () => destinations.misplaced.check(),
    knownMisplaced: () => destinations.misplaced.known,
    reroute: (by, source) => destinations.reroute(by, source),
    get(name) {
      if (destinations.get(name) === undefined) return undefined;
      return {
        pause: (by) => destinations.pause(name, by),
        resume: () => destinations.resume(name),
      };
    },
  };
}

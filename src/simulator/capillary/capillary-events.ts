import { createRandom } from '../random.ts';
import { createEventSource, type GeneratedEvent } from './event-source.ts';
import { createPopulation } from './world/population.ts';
import { createWorld } from './world/world.ts';

export { DOCUMENTED_NAMES, type GeneratedEvent } from './event-source.ts';

export interface EventsOptions {
  readonly count: number;
  /** Number of customers at a time; default 50. */
  readonly customers?: number;
  /**
   * Event names, in equal shares; by default the 14 documented ones, and others in unusual events.
   */
  readonly names?: readonly string[];
  /** Default 1; the same options generate the same events. */
  readonly seed?: number;
  /** Time of the latest event, epoch ms; default the system clock. */
  readonly now?: number;
  readonly orgId?: number;
  /** Share of events with an unusual form or content; default 0.2. */
  readonly awkward?: number;
  /** Time from one event to the next; default 1000 ms. */
  readonly stepMs?: number;
}

const DEFAULT_ORG_ID = 100_737;

/**
 * Generates events one by one, oldest first. They are the changes of a world that nothing else
 * reads, so it keeps only what further events need.
 */
export function* generateEvents(options: EventsOptions): Generator<GeneratedEvent> {
  const { count, names, now = Date.now(), orgId = DEFAULT_ORG_ID, awkward = 0.2, stepMs = 1_000 } = options;
  const seed = options.seed ?? 1;
  const random = createRandom(seed);
  const world = createWorld({ seed, orgId, keepsHistory: false });
  const population = createPopulation(world, options.customers ?? 50, random);
  const source = createEventSource({ world, population, random, names, awkward, isLive: false });
  for (let index = 0; index < count; index += 1) {
    yield source.next(now - (count - 1 - index) * stepMs);
  }
}

export function makeEvents(options: EventsOptions): GeneratedEvent[] {
  return [...generateEvents(options)];
}

import type { DestinationDirectory } from '../admin/destinations.ts';
import type { Journal } from '../journal/journal.ts';
import type { Destinations } from './destinations.ts';

/** The destinations as the admin port shows and controls them. */
export function createDestinationDirectory(
  destinations: Destinations,
  journal: Pick<Journal, 'backlog'>,
): DestinationDirectory {
  return {
    async list() {
      const backlog = new Map((await journal.backlog()).map((one) => [one.destination, one]));
      return destinations.all.map(({ config, dispatcher, tokens }) => ({
        name: config.name,
        ...dispatcher.state.status(),
        inFlight: dispatcher.inFlight,
        concurrency: dispatcher.pace.slots,
        tokenSecondsLeft: tokens?.secondsLeft(),
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

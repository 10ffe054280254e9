import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problems.ts';
import type { AdminObserver } from './observer.ts';
import { isoTime } from './iso-time.ts';
import { operatorOf } from './operator.ts';

/** How a destination does. Times are epoch ms, as in the rest of the relay; the answer has them in ISO 8601. */
export interface DestinationView {
  readonly name: string;
  readonly state: 'flowing' | 'waiting' | 'paused';
  /** Stable code of why it does not flow. */
  readonly reason?: string | undefined;
  readonly detail?: string | undefined;
  /** Since when it does not flow. */
  readonly since?: number | undefined;
  readonly nextTryAt?: number | undefined;
  readonly lastSuccessAt?: number | undefined;
  /** Events taken from the journal and not settled. */
  readonly inFlight: number;
  /** Requests under way, and how many may be just now. */
  readonly concurrency: { readonly used: number; readonly limit: number };
  /** Of the cached IMS token; absent without one. */
  readonly tokenSecondsLeft?: number | undefined;
  readonly pending: number;
  /** Receipt of the oldest pending event. */
  readonly oldestPendingAt?: number | undefined;
  /** As configured; maxWait in ms. */
  readonly batch: { readonly maxBytes: number; readonly maxMessages: number; readonly maxWait: number };
  readonly limits: {
    readonly requestsPerSecond: number;
    readonly messagesPerSecond: number;
    readonly concurrency: number;
  };
}

/** What can be done to a destination. Resolves once it holds, across a restart too. */
export interface DestinationControl {
  pause(by: string): Promise<void>;
  resume(by: string): Promise<void>;
}

export interface DestinationDirectory {
  /** All destinations, in the order of the configuration. */
  list(): Promise<readonly DestinationView[]>;
  get(name: string): DestinationControl | undefined;
}

interface DestinationParts {
  readonly destinations: DestinationDirectory;
  readonly observer: Pick<AdminObserver, 'acted'>;
}

type Named = { Params: { name: string } };

/** The destinations: how they do, and stopping and starting them by hand. */
export function destinationRoutes(app: FastifyInstance, parts: DestinationParts): void {
  app.route({
    method: 'GET',
    url: '/destinations',
    handler: async () => ({
      destinations: (await parts.destinations.list()).map(destinationView),
    }),
  });
  app.route<Named>({
    method: 'POST',
    url: '/destinations/:name/pause',
    handler: async (request) => act(parts, request, 'pause'),
  });
  app.route<Named>({
    method: 'POST',
    url: '/destinations/:name/resume',
    handler: async (request) => act(parts, request, 'resume'),
  });
}

async function act(
  { destinations, observer }: DestinationParts,
  request: FastifyRequest<Named>,
  action: 'pause' | 'resume',
) {
  const { name } = request.params;
  const by = operatorOf(request);
  await (destinations.get(name) ?? unknown())[action](by);
  observer.acted({ action: `destination.${action}`, by, destination: name });
  const view = (await destinations.list()).find((destination) => destination.name === name);
  return destinationView(view ?? unknown());
}

function unknown(): never {
  throw new ProblemError('not-found', 'no destination has this name; GET /admin/v1/destinations lists them');
}

function destinationView({ since, nextTryAt, lastSuccessAt, oldestPendingAt, ...rest }: DestinationView) {
  return {
    ...rest,
    since: isoTime(since),
    nextTryAt: isoTime(nextTryAt),
    lastSuccessAt: isoTime(lastSuccessAt),
    oldestPendingAt: isoTime(oldestPendingAt),
  };
}

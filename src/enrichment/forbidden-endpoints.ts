import type { Endpoint } from './enrichment-observer.ts';

export interface ForbiddenEndpoint {
  readonly endpoint: Endpoint;
  /** Epoch ms. */
  readonly since: number;
  /** What the access group lacks, such as `Read on Transaction`. */
  readonly lack: string;
}

/**
 * Calls that the access group of the API client does not allow. They are not made again and again,
 * but tried every few minutes, because somebody may add the right.
 * Source: docs/platforms/capillary.md#api-access
 */
export interface ForbiddenEndpoints {
  isOff(endpoint: Endpoint): boolean;
  refused(endpoint: Endpoint, lack: string): void;
  answered(endpoint: Endpoint): void;
  list(): readonly ForbiddenEndpoint[];
}

const FORBIDDEN_MS = 300_000;

/** @param onChange called with undefined for the lack if the endpoint answers again */
export function createForbiddenEndpoints(
  clocks: { readonly now: () => number; readonly monotonic: () => number },
  onChange: (endpoint: Endpoint, lack: string | undefined) => void,
): ForbiddenEndpoints {
  const refused = new Map<Endpoint, ForbiddenEndpoint & { readonly triedAt: number }>();
  return {
    isOff(endpoint) {
      const entry = refused.get(endpoint);
      return entry !== undefined && clocks.monotonic() - entry.triedAt < FORBIDDEN_MS;
    },
    refused(endpoint, lack) {
      const known = refused.get(endpoint);
      const since = known?.since ?? clocks.now();
      refused.set(endpoint, { endpoint, since, lack, triedAt: clocks.monotonic() });
      if (known === undefined) onChange(endpoint, lack);
    },
    answered(endpoint) {
      if (refused.delete(endpoint)) onChange(endpoint, undefined);
    },
    list: () => [...refused.values()].map(({ endpoint, since, lack }) => ({ endpoint, since, lack })),
  };
}

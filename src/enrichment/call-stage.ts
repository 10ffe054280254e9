import type { CapillaryApiConfig } from '../config/capillary-config.ts';
import { type ApiCaller, createApiCaller } from './api-caller.ts';
import { type CallAllowance, createCallAllowance } from './call-allowance.ts';
import { type CallQueue, createCallQueue } from './api-call-queue.ts';
import { type CircuitBreaker, type CircuitStatus, createCircuitBreaker } from './circuit-breaker.ts';
import type { EnrichmentObserver } from './enrichment-observer.ts';
import { createForbiddenEndpoints, type ForbiddenEndpoints } from './forbidden-endpoints.ts';
import type { CapillaryReads } from '../capillary/api/capillary-reads.ts';
import { createReferenceData, type ReferenceData } from './reference-data.ts';
import type { StageClock } from './stage-clock.ts';

export interface CallStageParts {
  /** Name of the source. */
  readonly source: string;
  readonly api: Pick<CapillaryApiConfig, 'callsPerMinute' | 'concurrency'>;
  /** How often a call is tried. */
  readonly attempts: number;
  /** @param defaultProgram the organisation's, once it is known */
  readonly reads: (defaultProgram: () => string | undefined) => CapillaryReads;
  /** Processes that share the API key, from 1. */
  readonly share: () => number;
  readonly observer: EnrichmentObserver;
  readonly clock: StageClock;
  /** A number in [0, 1). */
  readonly jitter: () => number;
  readonly onCircuit: (status: CircuitStatus) => void;
  /** Ends all calls. */
  readonly signal: AbortSignal;
}

/** All that has to do with calls of one API client. */
export interface CallStage {
  readonly reads: CapillaryReads;
  readonly budget: CallAllowance;
  readonly queue: CallQueue;
  readonly circuit: CircuitBreaker;
  readonly forbidden: ForbiddenEndpoints;
  readonly caller: ApiCaller;
  readonly reference: ReferenceData;
}

export function createCallStage(parts: CallStageParts): CallStage {
  const { source, api, observer, clock, jitter, signal } = parts;
  const { callsPerMinute, concurrency } = api;
  const budget = createCallAllowance({ callsPerMinute, concurrency, share: parts.share, clock });
  const queue = createCallQueue(budget, clock);
  const forbidden = createForbiddenEndpoints(clock, (endpoint, lack) =>
    observer.accessChanged(source, endpoint, lack),
  );
  const circuit = createCircuitBreaker({
    clock,
    probe: () => reference.probe(),
    jitter,
    onChange: (status) => {
      if (status.state === 'open') queue.clear();
      observer.circuitChanged(source, status);
      parts.onCircuit(status);
    },
  });
  const { attempts } = parts;
  const caller = createApiCaller({
    source,
    attempts,
    budget,
    queue,
    circuit,
    forbidden,
    observer,
    clock,
    jitter,
    signal,
  });
  const reads = parts.reads(() => reference.defaultProgram());
  const reference: ReferenceData = createReferenceData({ caller, queue, reads, clock });
  return { reads, budget, queue, circuit, forbidden, caller, reference };
}

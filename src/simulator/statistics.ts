import type { Endpoint } from './faults.ts';
import type { InFlightCounts } from './in-flight.ts';
import type { LandedCounts, LandedKind } from './landed-record.ts';

/** Exact counts since the start or the last reset. */
export interface SimulatorStats extends LandedCounts, InFlightCounts {
  /** Requests by endpoint and by how they ended: a status, `hang`, `reset`, or `gone` when the client left first. */
  readonly requests: Readonly<Record<Endpoint, Readonly<Record<string, number>>>>;
  /** Messages in the requests that were well-formed as a whole. */
  readonly messages: number;
  /** Messages refused by their envelope or by a fault. */
  readonly refused: number;
  readonly kinds: Readonly<Record<LandedKind, LandedCounts>>;
  /** Tokens given out. */
  readonly mints: number;
  readonly activeTokens: number;
}

/** The counts that no other part keeps. */
export interface Counters {
  readonly requests: Record<Endpoint, Record<string, number>>;
  messages: number;
  refused: number;
  mints: number;
}

export function createCounters(): Counters {
  return {
    requests: { ims: {}, batch: {}, single: {} },
    messages: 0,
    refused: 0,
    mints: 0,
  };
}

export function countRequest(counters: Counters, endpoint: Endpoint, how: string): void {
  const byEnd = counters.requests[endpoint];
  byEnd[how] = (byEnd[how] ?? 0) + 1;
}

/** The sum over all kinds of records. */
export function sumCounts(kinds: Readonly<Record<LandedKind, LandedCounts>>): LandedCounts {
  const all = Object.values(kinds);
  const sum = (key: keyof LandedCounts): number => all.reduce((total, counts) => total + counts[key], 0);
  return {
    landed: sum('landed'),
    distinctIds: sum('distinctIds'),
    duplicates: sum('duplicates'),
    dropped: sum('dropped'),
  };
}

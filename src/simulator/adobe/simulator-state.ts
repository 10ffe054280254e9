import { EventEmitter } from 'node:events';
import { createFaults, type Endpoint, type Faults } from './fault-script.ts';
import { createLandedStore, type LandedCounts, type LandedKind, type LandedStore } from './landed-store.ts';
import { createProfileView, type ProfileView } from './profile-view.ts';
import type { SimulatorSettings } from './simulator-options.ts';
import { createTokenRegister, type TokenRegister } from './token-register.ts';

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

export interface InFlightCounts {
  readonly concurrent: number;
  readonly maxConcurrent: number;
  /** Messages that came while another of the same key was unanswered: Adobe may apply them in either order (reference: adobe.md §4.2). */
  readonly overlapping: number;
  /** Messages that shared a request with an earlier one of the same key. */
  readonly sameKeyInRequest: number;
}

/** Watches what is under way at the inlet at once. */
export interface InFlight {
  /** A request with messages of these keys (dataset and primary identity) begins; calling the result, once or more, ends it. */
  enter(keys: readonly string[]): () => void;
  counts(): InFlightCounts;
  /** Starts the counts anew; what is under way stays. */
  clear(): void;
}

export function createInFlight(): InFlight {
  const underWay = new Map<string, number>();
  let concurrent = 0;
  let maxConcurrent = 0;
  let overlapping = 0;
  let sameKeyInRequest = 0;

  const leave = (keys: Set<string>): void => {
    concurrent -= 1;
    for (const key of keys) {
      const left = (underWay.get(key) ?? 1) - 1;
      if (left > 0) underWay.set(key, left);
      else underWay.delete(key);
    }
  };

  return {
    enter: (keys) => {
      concurrent += 1;
      maxConcurrent = Math.max(maxConcurrent, concurrent);
      const distinct = new Set(keys);
      sameKeyInRequest += keys.length - distinct.size;
      for (const key of distinct) {
        if (underWay.has(key)) overlapping += 1;
        underWay.set(key, (underWay.get(key) ?? 0) + 1);
      }
      let isInside = true;
      return () => {
        if (isInside) leave(distinct);
        isInside = false;
      };
    },
    counts: () => ({ concurrent, maxConcurrent, overlapping, sameKeyInRequest }),
    clear: () => {
      maxConcurrent = concurrent;
      overlapping = 0;
      sameKeyInRequest = 0;
    },
  };
}

/** All that the simulated Adobe remembers; shared by its routes. */
export interface SimulatorState {
  readonly settings: SimulatorSettings;
  readonly tokens: TokenRegister;
  readonly faults: Faults;
  readonly landed: LandedStore;
  readonly profiles: ProfileView;
  readonly inFlight: InFlight;
  readonly counters: () => Counters;
  /** Emits `change` after each request. */
  readonly changes: EventEmitter<{ change: [] }>;
  stats(): SimulatorStats;
  /** Forgets what landed and every count; tokens and the script of faults stay. */
  reset(): void;
}

export function createSimulatorState(settings: SimulatorSettings): SimulatorState {
  const tokens = createTokenRegister(settings.tokenTtlMs, settings.now);
  const landed = createLandedStore(settings.maxLanded);
  const profiles = createProfileView(settings.maxLanded);
  const inFlight = createInFlight();
  const faults = createFaults(settings.seed);
  faults.set(settings.faults);
  const changes = new EventEmitter<{ change: [] }>().setMaxListeners(0);
  let counters = createCounters();
  return {
    settings,
    tokens,
    faults,
    landed,
    profiles,
    inFlight,
    changes,
    counters: () => counters,
    stats: () => {
      const kinds = landed.counts();
      return {
        ...structuredClone(counters),
        ...sumCounts(kinds),
        kinds,
        ...inFlight.counts(),
        activeTokens: tokens.active(),
      };
    },
    reset: () => {
      landed.clear();
      profiles.clear();
      inFlight.clear();
      counters = createCounters();
    },
  };
}

import { EventEmitter } from 'node:events';
import { type CapillaryTwin, createCapillaryTwin } from '../capillary/api/capillary-twin.ts';
import { type BatchNotifications, createBatchNotifications } from './batch-notifications.ts';
import { createFaultScript, type Endpoint, type FaultScript } from './fault-script.ts';
import { createIngestion, type Ingestion } from './ingestion.ts';
import { createLandedStore, type LandedCounts, type LandedKind, type LandedStore } from './landed-store.ts';
import { createPlatformState, type PlatformState } from './platform/platform-state.ts';
import type { FateCounts } from './record-fate.ts';
import { createProfileView, type ProfileView } from './profile-view.ts';
import type { SimulatorSettings } from './simulator-options.ts';
import { createTokenRegister, type TokenRegister } from './token-register.ts';

/** Exact counts since the start or the last reset. */
export interface SimulatorStats extends LandedCounts, InFlightCounts {
  /**
   * Requests by endpoint and outcome: a status, `hang`, `reset` or `gone` (closed by the client).
   */
  readonly requests: Readonly<Record<Endpoint, Readonly<Record<string, number>>>>;
  /** Messages in well-formed requests. */
  readonly messages: number;
  /** Messages refused because of their envelope or a fault. */
  readonly refused: number;
  readonly kinds: Readonly<Record<LandedKind, LandedCounts>>;
  /** Of the records at inlets that the platform API made. */
  readonly fates: FateCounts;
  /** Tokens issued. */
  readonly mints: number;
  readonly activeTokens: number;
}

/** The counts that no other part of the state keeps. */
export interface Counters {
  readonly requests: Record<Endpoint, Record<string, number>>;
  messages: number;
  refused: number;
  mints: number;
}

function createCounters(): Counters {
  return {
    requests: { ims: {}, batch: {}, single: {}, platform: {}, capillary: {} },
    messages: 0,
    refused: 0,
    mints: 0,
  };
}

export function countRequest(counters: Counters, endpoint: Endpoint, outcome: string): void {
  const byOutcome = counters.requests[endpoint];
  byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
}

/** The sums over all kinds of records. */
function sumCounts(kinds: Readonly<Record<LandedKind, LandedCounts>>): LandedCounts {
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
  /**
   * Messages that arrived while another one of the same key was unanswered: Adobe may apply them in
   * either order (docs/platforms/adobe.md#ordering).
   */
  readonly overlapping: number;
  /** Messages in one request with an earlier one of the same key. */
  readonly sameKeyInRequest: number;
}

/** Tracks the requests in flight at the inlet. */
export interface InFlightTracker {
  /**
   * Starts a request.
   *
   * @param keys dataset and primary identity of each message
   * @returns finishes the request; may be called more than once
   */
  start(keys: readonly string[]): () => void;
  counts(): InFlightCounts;
  /** Resets the counts; requests stay in flight. */
  clear(): void;
}

function createInFlightTracker(): InFlightTracker {
  const messagesByKey = new Map<string, number>();
  let concurrent = 0;
  let maxConcurrent = 0;
  let overlapping = 0;
  let sameKeyInRequest = 0;

  const finish = (keys: Set<string>): void => {
    concurrent -= 1;
    for (const key of keys) {
      const left = (messagesByKey.get(key) ?? 1) - 1;
      if (left > 0) messagesByKey.set(key, left);
      else messagesByKey.delete(key);
    }
  };

  return {
    start: (keys) => {
      concurrent += 1;
      maxConcurrent = Math.max(maxConcurrent, concurrent);
      const distinct = new Set(keys);
      sameKeyInRequest += keys.length - distinct.size;
      for (const key of distinct) {
        if (messagesByKey.has(key)) overlapping += 1;
        messagesByKey.set(key, (messagesByKey.get(key) ?? 0) + 1);
      }
      let isInFlight = true;
      return () => {
        if (isInFlight) finish(distinct);
        isInFlight = false;
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

/** The state of both simulated platforms, shared by their routes. */
export interface SimulatorState {
  readonly settings: SimulatorSettings;
  readonly tokens: TokenRegister;
  readonly faults: FaultScript;
  readonly landed: LandedStore;
  readonly profiles: ProfileView;
  readonly inFlight: InFlightTracker;
  readonly platform: PlatformState;
  readonly ingestion: Ingestion;
  readonly notifications: BatchNotifications;
  readonly capillary: CapillaryTwin;
  readonly counters: () => Counters;
  /** Emits `change` after each request. */
  readonly changes: EventEmitter<{ change: [] }>;
  stats(): SimulatorStats;
  /**
   * Clears records and counts, and the objects of both platforms too if asked; tokens and faults
   * stay.
   */
  reset(objects?: boolean): void;
}

export function createSimulatorState(settings: SimulatorSettings): SimulatorState {
  const tokens = createTokenRegister(settings.tokenTtlMs, settings.now);
  const landed = createLandedStore(settings.maxLanded);
  const profiles = createProfileView(settings.maxLanded);
  const inFlight = createInFlightTracker();
  const platform = createPlatformState(settings.platform);
  const faults = createFaultScript(settings.seed);
  faults.set(settings.faults);
  const changes = new EventEmitter<{ change: [] }>().setMaxListeners(0);
  const capillary = createCapillaryTwin(settings.capillary, {
    now: settings.now,
    seed: settings.seed,
    onChange: () => changes.emit('change'),
  });
  const notifications = createBatchNotifications();
  notifications.set(settings.notifications);
  const ingestion = createIngestion({
    landed,
    validationDelayMs: settings.validationDelayMs,
    maxPeople: settings.maxLanded,
    now: settings.now,
    inProfile: (record) => profiles.add({ ...record, dropped: [] }),
    batchEnded: (sandbox, batch) => notifications.batchEnded(sandbox, batch),
    changed: () => changes.emit('change'),
  });
  let counters = createCounters();
  return {
    settings,
    tokens,
    faults,
    landed,
    profiles,
    inFlight,
    platform,
    ingestion,
    notifications,
    capillary,
    changes,
    counters: () => counters,
    stats: () => {
      const kinds = landed.counts();
      return {
        ...structuredClone(counters),
        ...sumCounts(kinds),
        kinds,
        fates: ingestion.counts(),
        ...inFlight.counts(),
        activeTokens: tokens.active(),
      };
    },
    reset: (objects = false) => {
      ingestion.clear(platform.sandboxes());
      if (objects) platform.clear();
      capillary.reset(objects);
      landed.clear();
      profiles.clear();
      inFlight.clear();
      counters = createCounters();
    },
  };
}

import { EventEmitter } from 'node:events';
import { createFaults, type Faults } from './faults.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createLandedStore, type LandedStore } from './landed-store.ts';
import { createProfileView, type ProfileView } from './profile-view.ts';
import { type SimulatorSettings } from './simulator-options.ts';
import { type Counters, createCounters, type SimulatorStats, sumCounts } from './statistics.ts';
import { createTokenRegister, type TokenRegister } from './token-register.ts';

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

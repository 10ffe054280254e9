import { afterEach, beforeEach } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';

/** The engine's clock, in epoch ms. */
export interface TestClock {
  now(): number;
  set(ms: number): void;
}

/** An initially empty store of an engine. */
export interface TestStore {
  /** Shows T0 until it is set. */
  readonly clock: TestClock;
  /**
   * Several processes can use the store. So wake-ups can come when nothing is claimable, and a
   * reroute ends the claims of the events that it moves.
   */
  readonly isShared: boolean;
  /** Opens a journal; can be called again after the previous one was closed. */
  open(): Promise<Journal>;
  remove(): Promise<void>;
}

export type MakeStore = () => Promise<TestStore>;

/** The journal of the current test. */
export interface JournalInTest {
  readonly journal: Journal;
  readonly clock: TestClock;
  /** See TestStore. */
  readonly isShared: boolean;
  /** Closes and reopens the journal, like a restart. */
  reopen(): Promise<Journal>;
}

/** Provides each test of the block with an empty journal and deletes it afterwards. */
export function journalInTest(make: MakeStore): JournalInTest {
  let store: TestStore;
  let journal: Journal;
  beforeEach(async () => {
    store = await make();
    journal = await store.open();
  });
  afterEach(async () => {
    await journal.close();
    await store.remove();
  });
  return {
    get journal() {
      return journal;
    },
    get clock() {
      return store.clock;
    },
    get isShared() {
      return store.isShared;
    },
    async reopen() {
      await journal.close();
      journal = await store.open();
      return journal;
    },
  };
}

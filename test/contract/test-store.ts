import { afterEach, beforeEach } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';

/** A store of an engine, empty at first. */
export interface TestStore {
  /** Opens a journal on it; again after the one before was closed. */
  open(): Promise<Journal>;
  remove(): Promise<void>;
}

export type MakeStore = () => Promise<TestStore>;

/** The journal of the test that runs. */
export interface JournalInTest {
  readonly journal: Journal;
  /** Closes the journal and opens it again, as a restart does. */
  reopen(): Promise<Journal>;
}

/** Gives each test of the block an empty journal, and removes it afterwards. */
export const journalInTest = (make: MakeStore): JournalInTest => {
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
    async reopen() {
      await journal.close();
      journal = await store.open();
      return journal;
    },
  };
};

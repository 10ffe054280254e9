import { afterEach, beforeEach } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';

/** An initially empty store of an engine. */
export interface TestStore {
  /** Opens a journal; can be called again after the previous one was closed. */
  open(): Promise<Journal>;
  remove(): Promise<void>;
}

export type MakeStore = () => Promise<TestStore>;

/** The journal of the current test. */
export interface JournalInTest {
  readonly journal: Journal;
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
    async reopen() {
      await journal.close();
      journal = await store.open();
      return journal;
    },
  };
}

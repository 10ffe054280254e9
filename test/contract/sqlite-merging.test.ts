import { describeModel } from './model.ts';
import { describeJournalContract } from './journal-contract.ts';
import { sqliteStores } from './sqlite-store.ts';

/** Indexes that are merged into their tables all the time, where with the default tests of this size never see it. */
const stores = sqliteStores([], { generation: 4 });

describeJournalContract('SQLite that merges all the time', stores);
describeModel(stores);

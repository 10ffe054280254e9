import { describeModel } from './model.ts';
import { describeJournalContract } from './journal-contract.ts';
import { sqliteStores } from './sqlite-store.ts';

/** Index buffers so small that they are merged constantly; with the default they never would be. */
const stores = sqliteStores([], { generationSize: 4 });

describeJournalContract('SQLite with constant index merging', stores);
describeModel(stores);

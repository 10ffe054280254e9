import { describeModel } from './model.ts';
import { describePayloadContract } from './journal-contract.ts';
import { sqliteStores } from './sqlite-store.ts';

/** Index buffers so small that they are merged constantly; with the default they never would be. */
const stores = sqliteStores([], { generationSize: 4 });

// The rest of the contract is covered by the model, which takes its random ways through it.
describePayloadContract('SQLite with constant index merging', stores);
describeModel(stores);

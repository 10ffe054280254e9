import { describeJournalContract } from './journal-contract.ts';
import { sqliteStores } from './sqlite-store.ts';

describeJournalContract('SQLite', sqliteStores([]));

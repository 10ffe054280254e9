import { describeJournalContract } from './journal-contract.ts';
import { sqliteStores } from './sqlite-store.ts';

describeJournalContract('SQLite, encrypted', sqliteStores(['5f'.repeat(32)]));

import { describeJournalContract } from './journal-contract.ts';
import { postgresStores } from './postgres-store.ts';

describeJournalContract('PostgreSQL', postgresStores([]));

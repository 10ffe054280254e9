import { describeRestOfContract } from './journal-contract.ts';
import { postgresStores } from './postgres-store.ts';

describeRestOfContract('PostgreSQL', postgresStores([]));

import { describePayloadContract } from './journal-contract.ts';
import { postgresStores } from './postgres-store.ts';

describePayloadContract('PostgreSQL', postgresStores([]));

import { describePayloadContract } from './journal-contract.ts';
import { postgresStores } from './postgres-store.ts';

describePayloadContract('PostgreSQL, encrypted', postgresStores(['5f'.repeat(32)]));

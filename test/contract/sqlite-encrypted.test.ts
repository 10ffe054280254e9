import { describePayloadContract } from './journal-contract.ts';
import { sqliteStores } from './sqlite-store.ts';

describePayloadContract('SQLite, encrypted', sqliteStores(['5f'.repeat(32)]));

import { describeLandingsContract } from './landings-contract.ts';
import { postgresStores } from './postgres-store.ts';

describeLandingsContract('PostgreSQL', postgresStores([]));

import { describeLandingsContract } from './landings-contract.ts';
import { sqliteStores } from './sqlite-store.ts';

describeLandingsContract('SQLite', sqliteStores([]));

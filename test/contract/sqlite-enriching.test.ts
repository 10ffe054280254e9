import { describe } from 'vitest';
import { describeEnriching } from './enriching.ts';
import { describeEntities } from './entities.ts';
import { sqliteStores } from './sqlite-store.ts';

describeEnriching('SQLite', sqliteStores([]));
describe('enrichments over SQLite, encrypted', () => {
  describeEntities(sqliteStores(['5f'.repeat(32)]));
});

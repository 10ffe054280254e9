import { describe } from 'vitest';
import { describeEnriching } from './enriching.ts';
import { describeEntities } from './entities.ts';
import { postgresStores } from './postgres-store.ts';

describeEnriching('PostgreSQL', postgresStores([]));
describe('enrichments over PostgreSQL, encrypted', () => {
  describeEntities(postgresStores(['5f'.repeat(32)]));
});

import { afterAll } from 'vitest';
import { freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { describeLanding } from './landing/describe-landing.ts';

let schema: TestSchema | undefined;

describeLanding('over PostgreSQL', async () => {
  schema = await freshSchema();
  const store = { engine: 'postgres', url: schema.url, schema: schema.schema, connections: 4 };
  return { events: 800, seed: 2, isSmall: true, store };
});

afterAll(() => schema?.drop());

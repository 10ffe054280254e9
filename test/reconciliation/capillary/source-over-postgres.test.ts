import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openPostgresJournal } from '../../../src/journal/postgres/postgres-journal.ts';
import { schemaOfTest } from '../../journal/postgres-rig.ts';
import { sourceRig } from './source-rig.ts';

const MINUTE_MS = 60_000;

test('over PostgreSQL what was given up is taken once, and recognised by the next run', async () => {
  const { url, schema } = await schemaOfTest();
  const log = pino({ level: 'silent' });
  const journal = await openPostgresJournal({ url: () => url, schema, encryptionKeys: [], log });
  const rig = await sourceRig({ journal });
  rig.behave((body) => (/request-(7|17)"/.test(body) ? 'down' : 'ok'));
  rig.raise(...Array.from({ length: 30 }, (_, index) => index + 1));
  await rig.settled();
  for (const record of rig.twin.log.list(({ requestId }) => requestId === 'request-17'))
    record.hasPayload = false;
  rig.pass(30 * MINUTE_MS);
  const report = await rig.run();
  expect(report).toMatchObject({
    state: 'differences',
    sums: { sent: 30, accepted: 28, recovered: 1, unrecoverable: 1, missing: 0 },
    open: { 'no-payload': 1 },
  });
  expect({ ...(await rig.run()), seesUntil: 0 }).toEqual({ ...report, seesUntil: 0 });
  expect(await rig.accepted()).toHaveLength(29);
});

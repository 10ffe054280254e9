import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import type { Journal, Settlement } from '../../src/journal/journal.ts';
import { openPostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import {
  appendAll,
  claim,
  sampleEvent,
  sampleMalformed,
  sampleQuarantined,
  settled,
  sha256,
} from '../contract/samples.ts';
import { executeSql, freshSchema } from '../helpers/postgres-server.ts';
import { requireCounts } from './postgres-log-rig.ts';

const TRAFFIC_MS = 1_500;
const DESTINATIONS = ['aep', 'new'] as const;
const LANES = Array.from({ length: 12 }, (_, n) => sha256(`lane ${n}`));

function outcome(receipt: string): Settlement {
  const digit = Number.parseInt(receipt.slice(-1), 16);
  if (digit < 5) return settled.dead(receipt);
  return digit < 8 ? settled.ignored(receipt) : settled.delivered(receipt);
}

/** Settles what can be claimed. @returns how many events */
async function deliver(journal: Journal, destination: string, settle = outcome): Promise<number> {
  const { token, events } = await claim(journal, { destination, events: 40, replays: 40 });
  await journal.settle(
    token,
    events.map(({ receipt }) => settle(receipt)),
  );
  return events.length;
}

/** What operators do, again and again, while events come and go. */
function operations(journal: Journal): readonly (() => Promise<unknown>)[] {
  const by = 'olga';
  return [
    () => journal.replay({ filter: { states: ['dead'] }, asNew: true, by }),
    () => journal.replay({ filter: { states: ['ignored'] }, asNew: false, by, routes: { acme: 'new' } }),
    () => journal.reroute('acme', DESTINATIONS[Math.random() < 0.5 ? 0 : 1], by),
    () => journal.discard({ states: ['malformed'] }, by),
    async () => {
      const { receipt } = await journal.appendMalformed(sampleMalformed());
      // Another operator may have discarded it meanwhile.
      await journal.promote(receipt, sampleEvent({ lane: LANES[0]! }), by).catch(() => undefined);
    },
    () => journal.quarantine(sampleQuarantined(), { maxCount: 5, maxBytes: 10_000, maxAge: 1_000 }),
    () => journal.list({ reason: 'rejected' }, { limit: 50 }),
  ];
}

it('operators change events of a PostgreSQL store while two replicas deliver: none is lost, all are counted', async () => {
  const { url, schema, drop } = await freshSchema();
  onTestFinished(drop);
  const open = async (): Promise<Journal> => {
    const log = pino({ level: 'silent' });
    const journal = await openPostgresJournal({ url: () => url, schema, encryptionKeys: [], log });
    onTestFinished(() => journal.close());
    return journal;
  };
  const replicas = [await open(), await open()];
  const end = performance.now() + TRAFFIC_MS;
  const repeat = async (work: () => Promise<unknown>): Promise<void> => {
    while (performance.now() < end) {
      await work();
      await delay(1);
    }
  };
  let appended = 0;
  const append = async (journal: Journal): Promise<void> => {
    const events = LANES.map((lane) => sampleEvent({ lane }));
    appended += (await appendAll(journal, [...events, sampleEvent()])).length;
  };
  await Promise.all(
    replicas.flatMap((journal) => [
      repeat(() => append(journal)),
      ...DESTINATIONS.map((destination) => repeat(() => deliver(journal, destination))),
      ...operations(journal).map(repeat),
    ]),
  );
  const sql = (text: string) => executeSql(`${url}?options=-csearch_path%3D${schema}`, text);
  await requireCounts({ sql });
  for (let quiet = 0; quiet < 20; ) {
    const counts = await Promise.all(
      replicas.flatMap((journal) =>
        DESTINATIONS.map((destination) => deliver(journal, destination, settled.delivered)),
      ),
    );
    quiet = counts.some((count) => count > 0) ? 0 : quiet + 1;
    await delay(20);
  }
  await requireCounts({ sql });
  const { acme } = await replicas[0]!.ledger();
  expect(acme).toMatchObject({ pending: 0 });
  const { accepted = 0, delivered = 0, ignored = 0, dead = 0 } = acme ?? {};
  expect(accepted).toBe(delivered + ignored + dead);
  expect(accepted).toBeGreaterThanOrEqual(appended);
  expect(await sql(`SELECT FROM events WHERE state = 'p' OR is_replay`)).toEqual([]);
  expect(
    await sql(`SELECT FROM bodies b WHERE NOT EXISTS (SELECT FROM events e WHERE e.seq = b.seq)`),
  ).toEqual([]);
}, 60_000);

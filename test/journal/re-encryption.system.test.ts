import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Journal, MaintenanceReport } from '../../src/journal/journal.ts';
import { migrate } from '../../src/journal/sqlite/engine/database.ts';
import { ENCRYPTED_COLUMNS } from '../../src/journal/sqlite/engine/re-encryption.ts';
import { parseKey } from '../../src/journal/payload-cipher.ts';
import type { Channel } from '../../src/journal/sqlite/thread/channel.ts';
import { readKeyUsage } from '../../src/journal/sqlite/offline/key-usage.ts';
import {
  appendAll,
  claimEvents,
  DAY,
  sampleEvent,
  sampleMalformed,
  sampleQuarantined,
} from '../contract/samples.ts';
import { until } from '../helpers/until.ts';
import { journalFolder, openChannel, openJournal } from './journal-folder.ts';
import { ANN, appendMarkedDeadLetter, filesContain } from './payload-marker.ts';
import { startReencrypting } from './process-child.ts';

const FIRST = '11'.repeat(32);
const SECOND = '22'.repeat(32);
const BOUNDS = { maxCount: 9, maxBytes: 100_000, maxAge: DAY };
const WORD = 'hidden-word';

/** Writes to every encrypted column except the filter of a replay, then closes the journal. */
async function fillStore(path: string, keys: readonly string[], events = 3): Promise<void> {
  const journal = await openJournal(path, { encryptionKeys: keys });
  const body = Buffer.from(JSON.stringify(WORD.repeat(300)));
  await appendMarkedDeadLetter(journal, WORD, body);
  await appendAll(
    journal,
    Array.from({ length: events }, () => sampleEvent({ body })),
  );
  // Larger than a page, so that its old content could remain on free pages.
  await journal.appendMalformed(sampleMalformed({ body: Buffer.from(WORD.repeat(3_000)) }));
  await journal.quarantine(sampleQuarantined({ body, rawHeaders: ['X-Key', WORD] }), BOUNDS);
  await journal.close();
}

/** Runs all steps. */
async function reencryptWith(
  channel: Pick<Channel, 'call'>,
): Promise<{ reencrypted: number; unreadable: number; steps: number }> {
  let step = await channel.call('reencrypt', { from: undefined });
  let { reencrypted } = step;
  let steps = 1;
  const shares = [step.share];
  while (step.next !== undefined) {
    step = await channel.call('reencrypt', { from: step.next });
    reencrypted += step.reencrypted;
    shares.push(step.share);
    steps += 1;
  }
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  expect(step.share).toBe(1);
  return { reencrypted, unreadable: step.unreadable, steps };
}

/** Re-encrypts a store that is not open. */
async function reencryptStore(path: string, keys: readonly string[]) {
  const channel = await openChannel(path, { keys: keys.map(parseKey) });
  const result = await reencryptWith(channel);
  await channel.close();
  return result;
}

/** Everything that fillStore wrote can be read. */
async function expectReadable(journal: Journal, events = 3): Promise<void> {
  const bodies = (await claimEvents(journal, { events })).map(({ body }) => body.toString());
  expect(bodies).toHaveLength(events);
  expect(new Set(bodies)).toEqual(new Set([JSON.stringify(WORD.repeat(300))]));
  const [quarantined] = (await journal.listQuarantined({}, { limit: 9 })).items;
  expect(quarantined?.rawHeaders).toEqual(['X-Key', WORD]);
  expect((await journal.profiles('aep', [ANN])).get(ANN)).toBe(`{"${WORD}":2}`);
  const { items } = await journal.list({ states: ['dead'] }, { limit: 9 });
  const record = await journal.find(items[0]!.receipt);
  expect(record?.sent).toEqual([{ kind: 'event', json: `{"${WORD}":1}` }]);
  expect(record?.notes).toEqual([{ path: `data.${WORD}`, code: 'too-long' }]);
  const enrichment = await journal.enrichments([items[0]!.receipt]);
  expect([...enrichment.values()]).toEqual([{ entities: `{"${WORD}":3}` }]);
}

describe('the encrypted columns', () => {
  it('are all BLOB columns except the identity, which is not a payload', () => {
    const db = new DatabaseSync(':memory:');
    migrate(db);
    const columns = db
      .prepare(
        `SELECT m.name || '.' || c.name AS name FROM sqlite_schema m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND c.type = 'BLOB' ORDER BY 1`,
      )
      .all()
      .map(({ name }) => String(name));
    const known = ENCRYPTED_COLUMNS.flatMap(({ table, columns: names }) =>
      names.map((name) => `${table}.${name}`),
    );
    expect(columns).toEqual([...known, 'events.identity'].toSorted());
  });
});

describe('re-encryption', () => {
  it.each([
    ['no key', []],
    ['an older key', [FIRST]],
  ])(
    'encrypts with the first key what was encrypted with %s, after which no other key is needed',
    async (_what, before) => {
      const path = await journalFolder();
      await fillStore(path, before);
      // Bodies of one dead, three pending and one malformed event, sent message, profile, notes,
      // entities, and headers and body in quarantine.
      const result = await reencryptStore(path, [SECOND, ...before]);
      expect(result).toMatchObject({ reencrypted: 11, unreadable: 0 });
      expect(await filesContain(path, WORD)).toBe(false);
      expect(readKeyUsage(path, [SECOND]).map(({ key, payloads }) => [key, payloads])).toEqual([
        ['first', 11],
      ]);
      const log: object[] = [];
      const after = await openJournal(path, {
        encryptionKeys: [SECOND],
        log: { error: (fields) => log.push(fields) },
      });
      await expectReadable(after);
      expect(log).toEqual([]);
    },
  );

  it('is not repeated once complete, unless the first key changes', async () => {
    const path = await journalFolder();
    await fillStore(path, [FIRST]);
    const reencrypt = async (keys: readonly string[]) => {
      const { reencrypted, steps } = await reencryptStore(path, keys);
      return [reencrypted, steps > 1];
    };
    expect(await reencrypt([FIRST])).toEqual([0, true]);
    expect(await reencrypt([FIRST])).toEqual([0, false]);
    expect(await reencrypt([SECOND, FIRST])).toEqual([11, true]);
    expect(await reencrypt([SECOND, FIRST])).toEqual([0, false]);
    expect(await reencrypt([FIRST, SECOND])).toEqual([11, true]);
    // In between, the store was used without keys and may contain unencrypted payloads.
    const unencrypted = await openJournal(path);
    await unencrypted.appendMalformed(sampleMalformed());
    await unencrypted.close();
    expect(await reencrypt([FIRST])).toEqual([1, true]);
  });

  it('continues after repeated crashes', async () => {
    const path = await journalFolder();
    const events = 2_000;
    await fillStore(path, [FIRST], events);
    let killed = 0;
    for (const steps of [1, 2, 3]) {
      const child = startReencrypting(path, [SECOND, FIRST]);
      // A fast process may have finished already.
      await Promise.race([child.printed(steps), child.exited()]);
      child.process.kill('SIGKILL');
      if ((await child.exited()).code === 'SIGKILL') killed += 1;
    }
    expect(killed).toBeGreaterThan(0);
    await reencryptStore(path, [SECOND, FIRST]);
    await expectReadable(await openJournal(path, { encryptionKeys: [SECOND] }), events);
  });

  it('runs in small steps and does not block intake', async () => {
    const path = await journalFolder();
    await fillStore(path, [FIRST], 2_000);
    const channel = await openChannel(path, { keys: [SECOND, FIRST].map(parseKey) });
    const finished = new AbortController();
    const reencrypting = reencryptWith(channel).finally(() => finished.abort());
    let appended = 0;
    while (!finished.signal.aborted) {
      await channel.call('append', packEvents([sampleEvent()]));
      appended += 1;
    }
    const { reencrypted, steps } = await reencrypting;
    expect(reencrypted).toBe(2_008);
    expect(steps).toBeGreaterThan(6);
    // An append is executed with the next step, so at most one step runs between two appends.
    expect(appended).toBeGreaterThanOrEqual(steps - 1);
    await channel.close();
    expect(readKeyUsage(path, [SECOND])).toMatchObject([{ key: 'first' }]);
  });

  it('leaves payloads that no key decrypts, counts them, and tries again at the next start', async () => {
    const path = await journalFolder();
    await fillStore(path, [FIRST]);
    expect(await reencryptStore(path, [SECOND])).toMatchObject({ reencrypted: 0, unreadable: 11 });
    expect(readKeyUsage(path, [SECOND]).map(({ key, payloads }) => [key, payloads])).toEqual([
      ['unknown', 11],
    ]);
    const again = await reencryptStore(path, [SECOND, FIRST]);
    expect(again).toMatchObject({ reencrypted: 11, unreadable: 0 });
    await expectReadable(await openJournal(path, { encryptionKeys: [SECOND] }));
  });

  it('gives everything a checksum without keys, once', async () => {
    const path = await journalFolder();
    await fillStore(path, []);
    expect(await reencryptStore(path, [])).toMatchObject({ reencrypted: 0, unreadable: 0 });
    expect(await reencryptStore(path, [])).toEqual({ reencrypted: 0, unreadable: 0, steps: 1 });
  });

  it('is run by maintenance, which reports progress and the end, once', async () => {
    const path = await journalFolder();
    await fillStore(path, []);
    const maintained = async (
      isEnd: (report: MaintenanceReport) => boolean,
    ): Promise<MaintenanceReport[]> => {
      const journal = await openJournal(path, { encryptionKeys: [FIRST] });
      const reports: MaintenanceReport[] = [];
      journal.onMaintenance((report) => reports.push(report));
      const retention = { delivered: 9_999 * DAY, ids: 9_999 * DAY, dead: 9_999 * DAY };
      journal.maintain(() => ({ retention, maxBytes: 1e12, minFree: 0 }));
      await until(() => reports.some(isEnd));
      await journal.close();
      return reports;
    };
    const reports = await maintained(({ kind }) => kind === 'sealed');
    const shares = reports.flatMap((report) => (report.kind === 'sealing' ? [report.share] : []));
    expect(shares.length).toBeGreaterThan(2);
    expect(shares[0]).toBeLessThan(1);
    expect(reports.at(-1)).toEqual({ kind: 'sealed', resealed: 11, unreadable: 0 });
    expect(await maintained(({ kind }) => kind === 'sealing')).toEqual([{ kind: 'sealing', share: 1 }]);
  });
});

import { describe, expect, test } from 'vitest';
import type { CapillaryClient } from '../../../src/capillary/api/capillary-client.ts';
import { anEvent } from '../../simulator/capillary/api/delivery-rig.ts';
import { sourceRig, START } from './source-rig.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

describe('a log that is shorter than the metrics', () => {
  test('is an open difference with the number and the period', async () => {
    const rig = await sourceRig();
    rig.raise(1, 2, 3, 4, 5);
    await rig.settled();
    rig.twin.log.forget(({ requestId }) => requestId === 'request-2' || requestId === 'request-3');
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'differences',
      sums: { sent: 5, accepted: 3, recovered: 0, unrecoverable: 2, missing: 0 },
      open: { 'beyond-log': 2 },
      differences: [
        {
          kind: 'beyond-log',
          cause: 'log-too-old',
          count: 2,
          window: { from: START, until: START + 15 * MINUTE_MS },
          fix: expect.any(String),
        },
      ],
    });
    expect({ ...(await rig.run()), seesUntil: 0 }).toEqual({ ...report, seesUntil: 0 });
  });

  test('keeps what was found when it was longer', async () => {
    const rig = await sourceRig();
    rig.behave((body) => (body.includes('request-2"') ? 'down' : 'ok'));
    rig.raise(1, 2, 3);
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    rig.twin.log.forget(({ requestId }) => requestId !== 'request-3');
    const again = await rig.run({ since: START });
    expect(again.sums).toEqual(report.sums);
    expect((await rig.run({ since: START })).sums).toEqual(report.sums);
    expect(again.open).toEqual({});
  });

  test('is not judged while Capillary may still be writing it', async () => {
    const rig = await sourceRig({ reconcile: { delay: '1s' } });
    rig.raise(1, 2);
    await rig.settled();
    rig.twin.log.forget(({ requestId }) => requestId === 'request-2');
    rig.pass(2 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ state: 'ok', sums: { sent: 1 } });
    rig.pass(24 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ state: 'differences', sums: { sent: 2, unrecoverable: 1 } });
  });
});

describe('time without runs', () => {
  test('is compared in the next one, with few calls where nothing was sent', async () => {
    const rig = await sourceRig();
    await rig.run();
    rig.pass(10 * DAY_MS);
    rig.twin.addToLog(anEvent(1), { generatedAt: rig.at() - 3 * DAY_MS, status: 'FAILED' });
    const before = rig.observed.calls['ok'] ?? 0;
    expect(await rig.run()).toMatchObject({
      sums: { sent: 1, recovered: 1 },
      seesUntil: rig.at() - 10 * MINUTE_MS,
    });
    expect((rig.observed.calls['ok'] ?? 0) - before).toBeLessThan(100);
  });

  test('is a difference if it is longer than the log', async () => {
    const rig = await sourceRig();
    const { seesUntil } = await rig.run();
    rig.pass(40 * DAY_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'differences',
      open: { 'beyond-log': 1 },
      differences: [
        {
          kind: 'beyond-log',
          isOpen: true,
          window: { from: seesUntil, until: expect.any(Number) },
          fix: expect.any(String),
        },
      ],
      seesUntil: rig.at() - 10 * MINUTE_MS,
    });
    expect(rig.observed.runs.at(-1)).toBe('differences');
    rig.pass(20 * DAY_MS);
    expect((await rig.run()).open).toEqual({ 'beyond-log': 1 });
    rig.pass(20 * DAY_MS);
    expect(await rig.run()).toMatchObject({ state: 'ok', open: {}, differences: [] });
  });

  test('of more than 35 days is kept as one sum', async () => {
    const rig = await sourceRig();
    rig.raise(1, 2);
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    for (let day = 0; day < 40; day += 5) {
      rig.pass(5 * DAY_MS);
      await rig.run();
    }
    const notes = await rig.journal.reconciliationNotes('capillary:acme');
    expect([...notes.keys()]).toEqual(['state']);
    expect((await rig.run()).sums).toEqual(report.sums);
  });
});

describe('an earlier time that is asked for', () => {
  test('is compared too, and widens what is covered', async () => {
    const rig = await sourceRig({ reconcile: { window: '1h' } });
    rig.twin.addToLog(anEvent(1), { generatedAt: START - 5 * HOUR_MS, status: 'FAILED' });
    const first = await rig.run();
    expect(first).toMatchObject({ sums: { sent: 0 } });
    const report = await rig.run({ since: START - 6 * HOUR_MS });
    expect(report).toMatchObject({ coveredFrom: START - 6 * HOUR_MS, sums: { sent: 1, recovered: 1 } });
    expect(report.seesUntil).toBe(first.seesUntil);
  });

  test('is continued by the next ordinary run, as it was asked for, if it was interrupted', async () => {
    const rig = await sourceRig({ reconcile: { window: '1h', resend: false } });
    await rig.run();
    for (const [number, hours] of [5, 4, 3].entries())
      rig.twin.addToLog(anEvent(number), { generatedAt: START - hours * HOUR_MS, status: 'FAILED' });
    let pages = 0;
    const client: Pick<CapillaryClient, 'get'> = {
      get: async (path, options) => {
        if (path.endsWith('/logs')) pages += 1;
        return rig.client.get(pages > 1 ? '/v3/events/away' : path, options);
      },
    };
    const since = START - 6 * HOUR_MS;
    const first = await rig.run({ since, resend: true }, { sharedClient: () => client });
    expect(first).toMatchObject({ state: 'failing', sums: { recovered: 1 } });
    expect(first.coveredFrom).toBeGreaterThan(since);
    expect(await rig.run()).toMatchObject({
      state: 'ok',
      coveredFrom: since,
      sums: { sent: 3, recovered: 3, missing: 0 },
    });
  });

  test('from before the journal remembers raises no alarm', async () => {
    const rig = await sourceRig({ reconcile: { window: '1h' } });
    rig.twin.addToLog(anEvent(1), { generatedAt: START - 5 * HOUR_MS, status: 'SUCCESS' });
    const journal = { ...rig.journal, knownSince: async () => START };
    expect(await rig.run({ since: START - 6 * HOUR_MS }, { journal })).toMatchObject({
      state: 'ok',
      sums: { sent: 1, accepted: 1 },
      differences: [],
    });
  });

  test('that was compared before is not judged by what has been forgotten since', async () => {
    const rig = await sourceRig();
    rig.behave((body) => (body.includes('request-1"') ? 'down' : 'ok'));
    rig.raise(1, 2);
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    const forgetful = { ...rig.journal, knownSince: async () => rig.at(), known: async () => new Map() };
    const again = await rig.run({ since: START }, { journal: forgetful });
    expect(again.sums).toEqual(report.sums);
    expect(rig.observed.recovered).toBe(1);
  });
});

import { describe, expect, test } from 'vitest';
import { anEvent } from '../../simulator/capillary/api/delivery-rig.ts';
import { sourceRig, START } from './source-rig.ts';

const MINUTE_MS = 60_000;

function idOf(number: number): string {
  return anEvent(number).eventId ?? '';
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe('a run', () => {
  test('finds that everything was accepted', async () => {
    const rig = await sourceRig();
    rig.raise(...numbers(1, 230));
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      source: 'acme',
      state: 'ok',
      sums: { sent: 230, accepted: 230, recovered: 0, unrecoverable: 0, missing: 0 },
      differences: [],
      open: {},
      coveredFrom: START + 15 * MINUTE_MS - 24 * 3_600_000,
      seesUntil: rig.at() - 10 * MINUTE_MS,
      lastRunAt: rig.at(),
    });
    expect(rig.observed).toMatchObject({ runs: ['ok'], found: {}, recovered: 0 });
  });

  test('takes what was given up, and the second one finds nothing new', async () => {
    const rig = await sourceRig();
    rig.behave((body) => (/request-(7|77|177)"/.test(body) ? 'down' : 'ok'));
    rig.raise(...numbers(1, 200));
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    const sums = { sent: 200, accepted: 197, recovered: 3, unrecoverable: 0, missing: 0 };
    expect(report).toMatchObject({ state: 'ok', sums, open: {} });
    expect(report.differences).toHaveLength(3);
    expect(report.differences[0]).toMatchObject({
      kind: 'given-up',
      cause: 'relay-unreachable',
      count: 1,
      isOpen: false,
      eventName: 'transactionAdded',
      receipt: expect.any(String),
    });
    expect(new Set(report.differences.map(({ eventId }) => eventId))).toEqual(
      new Set([7, 77, 177].map(idOf)),
    );
    expect(await rig.accepted()).toEqual(numbers(1, 200).map(idOf));
    expect(rig.observed).toMatchObject({ found: { 'given-up relay-unreachable': 3 }, recovered: 3 });

    const again = await rig.run();
    expect({ ...again, seesUntil: 0 }).toEqual({ ...report, seesUntil: 0 });
    expect(rig.observed).toMatchObject({ found: { 'given-up relay-unreachable': 3 }, recovered: 3 });
  });

  test('names the cause: refused, answer lost, acknowledged by something else', async () => {
    const rig = await sourceRig({ capillary: { lostAnswers: 0 } });
    rig.behave((body) => {
      if (body.includes('request-1"')) return 'refuses';
      return body.includes('request-2"') ? 'says ok' : 'ok';
    });
    rig.raise(1, 2, 3);
    await rig.settled();
    for (const record of rig.twin.log.list(({ requestId }) => requestId === 'request-3'))
      record.status = 'FAILED';
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    expect(report.sums).toEqual({ sent: 3, accepted: 1, recovered: 2, unrecoverable: 0, missing: 0 });
    expect(Object.fromEntries(report.differences.map(({ kind, cause }) => [kind, cause]))).toEqual({
      'given-up': 'relay-refused',
      'acknowledged-unknown': 'sent-elsewhere-or-store-lost',
      'answer-lost': 'answer-lost',
    });
    expect(report.differences.every(({ isOpen }) => !isOpen)).toBe(true);
    expect(await rig.accepted()).toEqual([1, 2, 3].map(idOf));
    const again = await rig.run();
    expect(again.differences).toEqual(report.differences);
  });

  test('where all answers are lost takes nothing: the relay has the events', async () => {
    const rig = await sourceRig({ capillary: { lostAnswers: 1 } });
    rig.raise(1, 2);
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    expect(report).toMatchObject({ state: 'ok', sums: { sent: 2, accepted: 2, recovered: 0 }, open: {} });
    expect(report.differences.map(({ kind, receipt }) => [kind, typeof receipt])).toEqual([
      ['answer-lost', 'string'],
      ['answer-lost', 'string'],
    ]);
    expect(await rig.accepted()).toEqual([1, 2].map(idOf));
  });

  test('an event that came after it was taken is no alarm', async () => {
    const rig = await sourceRig({ capillary: { retryScale: 1_000 } });
    rig.behave(() => 'down');
    rig.raise(1);
    rig.pass(20 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ sums: { sent: 1, recovered: 1 } });
    const [record] = rig.twin.log.list(() => true);
    Object.assign(record ?? {}, { status: 'SUCCESS', responseStatus: 200, lastAttemptAt: rig.at() + 1_000 });
    rig.pass(5 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ sums: { sent: 1, recovered: 1 }, differences: [] });
    expect(rig.observed.found).toEqual({ 'given-up relay-unreachable': 1 });
  });

  test('with resend: false reports what is missing, and takes it when it is asked to', async () => {
    const rig = await sourceRig({ reconcile: { resend: false } });
    rig.behave(() => 'down');
    rig.raise(1, 2);
    await rig.settled();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'differences',
      sums: { sent: 2, accepted: 0, recovered: 0, unrecoverable: 0, missing: 2 },
      open: { 'given-up': 2 },
    });
    expect(report.differences[0]).toMatchObject({
      isOpen: true,
      fix: 'capillary-relay reconcile --source acme --resend',
    });
    expect(await rig.accepted()).toEqual([]);
    // Hours later, when ordinary runs do not look at it any more.
    rig.pass(6 * 60 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ open: { 'given-up': 2 } });
    rig.pass(6 * 60 * MINUTE_MS);
    expect(await rig.run({ resend: true })).toMatchObject({
      state: 'ok',
      sums: { recovered: 2, missing: 0 },
      open: {},
    });
    expect(await rig.accepted()).toEqual([1, 2].map(idOf));
    expect(rig.observed.found).toEqual({ 'given-up relay-unreachable': 2 });
  });
});

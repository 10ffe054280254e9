import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/capillary/json.ts';
import { clientOfLog } from './log-fake.ts';
import { sourceRig, START } from './source-rig.ts';

const MINUTE_MS = 60_000;

function eventText(number: number, data: object = {}): string {
  const customer = { customerIdentifiers: { customerId: 7 } };
  return JSON.stringify({
    eventName: 'pointsIssued',
    orgId: 100_737,
    eventId: `event-${number}`,
    createdAt: START,
    data: { ...customer, number, ...data },
  });
}

type Row = Readonly<Record<string, JsonValue>>;

function rowOf(number: number, more: Row = {}): Row {
  return {
    id: `row-${number}`,
    eventId: `event-${number}`,
    eventType: '100737_pointsIssued',
    deliveryStatus: 'FAILED',
    enrichedPayload: eventText(number),
    ...more,
  };
}

async function rigWith(count: number, row: (index: number) => Row) {
  const rig = await sourceRig();
  rig.pass(60 * MINUTE_MS);
  const client = clientOfLog({ count, generatedAt: (index) => START + index, row });
  const run = () => rig.run({ since: START }, { sharedClient: () => client });
  return { ...rig, client, runLog: run };
}

describe('a hostile log', () => {
  test('a payload that is larger than the intake accepts does not end the comparison', async () => {
    const large = eventText(0, { notes: 'x'.repeat(1_100_000) });
    const rig = await rigWith(3, (index) => rowOf(index, index === 0 ? { enrichedPayload: large } : {}));
    const report = await rig.runLog();
    expect(report.problem).toBeUndefined();
    expect(report.sums).toMatchObject({ sent: 3 });
    expect(await rig.runLog()).toMatchObject({ sums: report.sums });
  });

  test('a payload that is deeply nested is taken or kept like others', async () => {
    const deep = `{"eventName":"pointsIssued","orgId":100737,"createdAt":${START},"data":{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
    const rig = await rigWith(3, (index) =>
      rowOf(index, index === 0 ? { enrichedPayload: deep, eventId: '' } : {}),
    );
    const report = await rig.runLog();
    expect(report.problem).toBeUndefined();
    expect(report.sums).toMatchObject({ sent: 3, recovered: 2 });
  });

  test.each([10, 1])('of which %s rows fit into an answer is read in parts', async (fitting) => {
    const rig = await rigWith(230, rowOf);
    const error = { kind: 'foreign', code: 'too-large', call: 'GET', text: '', ambiguous: false } as const;
    const client: typeof rig.client = {
      get: async (path, options) =>
        path.endsWith('/logs') && Number(options?.query?.['pageSize']) > fitting
          ? { ok: false, error, at: 0 }
          : rig.client.get(path, options),
    };
    const report = await rig.run({ since: START }, { sharedClient: () => client });
    expect(report.problem).toBeUndefined();
    expect(report.sums).toMatchObject({ sent: 230, recovered: 230 });
  });

  test('rows without any id are all compared', async () => {
    const text = (index: number) => eventText(index).replace(/"eventId":"[^"]*",/, '');
    const rig = await rigWith(250, (index) => ({
      eventType: '100737_pointsIssued',
      deliveryStatus: 'FAILED',
      enrichedPayload: text(index),
    }));
    const report = await rig.runLog();
    expect(report.sums).toMatchObject({ sent: 250, recovered: 250 });
    expect((await rig.runLog()).sums).toEqual(report.sums);
  });

  test.each([0, 1, undefined, 'many', 1_000_000])(
    'that says it has %s pages is read to its end',
    async (totalPages) => {
      const rig = await rigWith(250, rowOf);
      const client = {
        get: async (path: string, options?: Parameters<typeof rig.client.get>[1]) => {
          const answer = await rig.client.get(path, options);
          const data = answer.ok ? (answer.body as { data: Record<string, unknown> }).data : {};
          if (path.endsWith('/logs')) {
            if (totalPages === undefined) delete data['totalPages'];
            else data['totalPages'] = totalPages;
          }
          return answer;
        },
      };
      const report = await rig.run({ since: START }, { sharedClient: () => client });
      expect(report.sums).toMatchObject({ sent: 250, recovered: 250 });
    },
  );

  test('that always answers the first page is not asked for ever', async () => {
    const rig = await rigWith(250, rowOf);
    let calls = 0;
    const client = {
      get: (path: string, options: Parameters<typeof rig.client.get>[1] = {}) => {
        calls += 1;
        if (calls > 200) throw new Error('asked for ever');
        return rig.client.get(path, { ...options, query: { ...options.query, page: 1 } });
      },
    };
    const report = await rig.run({ since: START }, { sharedClient: () => client });
    expect(report.sums).toMatchObject({ recovered: 100, unrecoverable: 150 });
  });

  test('of arrays, other organisations and odd ids is counted exactly, and each is kept once', async () => {
    const odd: Row[] = [
      { enrichedPayload: `[${eventText(1)},${eventText(2)}]` },
      { enrichedPayload: eventText(1).replace('100737', '55'), eventType: '55_pointsIssued', orgId: 55 },
      { enrichedPayload: '{}' },
      { enrichedPayload: '{' },
      { enrichedPayload: 17 },
      { id: '__proto__', enrichedPayload: '{"a":1}' },
      { id: 'constructor', enrichedPayload: '{"a":2}' },
      { orgId: 'abc', eventType: 'x_y_z', enrichedPayload: null },
      { deliveryStatus: 'SUCCESS' },
      { eventId: 'event-8', id: 'row-8b' },
    ];
    const rig = await rigWith(odd.length, (index) => rowOf(index, odd[index]));
    const report = await rig.runLog();
    expect(report.problem).toBeUndefined();
    const { sent, accepted, recovered, unrecoverable, missing } = report.sums;
    expect(sent).toBe(odd.length);
    expect(accepted + recovered + unrecoverable + missing).toBe(sent);
    const dead = await rig.journal.count({ states: ['malformed'] });
    for (let turn = 0; turn < 3; turn += 1) expect((await rig.runLog()).sums).toEqual(report.sums);
    expect(await rig.journal.count({ states: ['malformed'] })).toBe(dead);
    expect(
      report.differences.every(({ receipt }) => receipt === undefined || /^[0-9a-f-]{36}$/.test(receipt)),
    ).toBe(true);
  });

  test('is compared on after the clock was a day ahead', async () => {
    const rig = await sourceRig();
    await rig.run();
    rig.pass(24 * 60 * MINUTE_MS);
    await rig.run();
    rig.pass(-24 * 60 * MINUTE_MS + 60_000);
    rig.behave(() => 'down');
    rig.raise(1, 2);
    await rig.settled();
    rig.pass(60 * MINUTE_MS);
    const report = await rig.run();
    expect(report.sums).toMatchObject({ recovered: 2 });
  });
});

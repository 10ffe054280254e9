import { describe, expect, test } from 'vitest';
import { anEvent } from '../../simulator/capillary/api/delivery-rig.ts';
import { sourceRig, type SourceRigOptions, START } from './source-rig.ts';

const MINUTE_MS = 60_000;
const FAILED = { generatedAt: START, status: 'FAILED', responseStatus: 502 } as const;

/** An event without what makes it one. */
function aMalformed(number: number) {
  return { ...anEvent(number), body: JSON.stringify({ ...JSON.parse(anEvent(number).body), orgId: 5 }) };
}

function customerEvent(number: number) {
  return anEvent(number, {
    eventName: 'customerUpdated',
    eventSearchKey: 'data.customerIdentifiers.customerId',
  });
}

async function withRows(options: SourceRigOptions = {}) {
  const rig = await sourceRig({
    webhook: { eventNames: ['transactionAdded', 'customerUpdated'], listenToChildEvents: true },
    ...options,
  });
  const malformed = async () => (await rig.journal.list({ states: ['malformed'] }, { limit: 100 })).items;
  return { ...rig, malformed };
}

describe('a payload that is no event', () => {
  test('becomes one dead letter, however often it is scanned', async () => {
    const rig = await withRows();
    rig.twin.addToLog(aMalformed(1), FAILED);
    rig.twin.addToLog(anEvent(2), FAILED);
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    const [letter] = await rig.malformed();
    expect(report).toMatchObject({
      state: 'differences',
      sums: { sent: 2, accepted: 0, recovered: 1, unrecoverable: 1, missing: 0 },
      open: { 'no-payload': 1 },
    });
    expect(report.differences.find(({ isOpen }) => isOpen)).toMatchObject({
      kind: 'no-payload',
      cause: 'relay-unreachable',
      receipt: letter?.receipt,
      eventId: anEvent(1).eventId,
      fix: `capillary-relay dead-letters replay ${letter?.receipt}`,
    });
    expect({ ...(await rig.run()), seesUntil: 0 }).toEqual({ ...report, seesUntil: 0 });
    await rig.run({ since: START });
    expect(await rig.malformed()).toHaveLength(1);
    expect(rig.observed.found).toEqual({
      'no-payload relay-unreachable': 1,
      'given-up relay-unreachable': 1,
    });
  });

  test('that the relay has answered with 400 is not stored again', async () => {
    const rig = await withRows();
    rig.twin.raise(aMalformed(1));
    await rig.settled();
    const [letter] = await rig.malformed();
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    expect(await rig.malformed()).toHaveLength(1);
    expect(report.sums).toEqual({ sent: 1, accepted: 0, recovered: 0, unrecoverable: 1, missing: 0 });
    expect(report.differences[0]).toMatchObject({ cause: 'relay-refused', receipt: letter?.receipt });
  });

  test('stays where it is with resend: false', async () => {
    const rig = await withRows({ reconcile: { resend: false } });
    rig.twin.addToLog(aMalformed(1), FAILED);
    rig.pass(30 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ sums: { unrecoverable: 1 }, open: { 'no-payload': 1 } });
    expect(await rig.malformed()).toEqual([]);
    await rig.run({ since: START, resend: true });
    expect(await rig.malformed()).toHaveLength(1);
  });
});

describe('a row without a payload', () => {
  test('is known by the id in the row', async () => {
    const rig = await withRows();
    rig.raise(1);
    await rig.settled();
    for (const record of rig.twin.log.list(() => true)) record.hasPayload = false;
    rig.pass(30 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({ state: 'ok', sums: { sent: 1, accepted: 1 } });
  });

  test('cannot be recovered, and is named', async () => {
    const rig = await withRows();
    for (const record of rig.twin.addToLog(anEvent(1), FAILED)) record.hasPayload = false;
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run();
    expect(report).toMatchObject({ sums: { sent: 1, unrecoverable: 1 }, open: { 'no-payload': 1 } });
    expect(report.differences).toEqual([
      expect.objectContaining({ eventId: anEvent(1).eventId, eventName: 'transactionAdded', isOpen: true }),
    ]);
    expect(report.differences[0]).not.toHaveProperty('fix');
  });

  test('is an alarm if it was acknowledged', async () => {
    const rig = await withRows();
    for (const record of rig.twin.addToLog(anEvent(1), { generatedAt: START, status: 'SUCCESS' }))
      record.hasPayload = false;
    rig.pass(30 * MINUTE_MS);
    expect(await rig.run()).toMatchObject({
      open: { 'acknowledged-unknown': 1 },
      sums: { unrecoverable: 1 },
    });
  });

  test('has the profile of its customer refreshed, once', async () => {
    const rig = await withRows({ source: { enrich: {} } });
    rig.raise(1);
    await rig.settled();
    const asked: (readonly string[])[] = [];
    const journal = {
      ...rig.journal,
      askRefresh: async (source: string, customerIds: readonly string[]) => {
        asked.push(customerIds);
        return rig.journal.askRefresh(source, customerIds);
      },
    };
    const event = customerEvent(2);
    for (const record of rig.twin.addToLog(event, FAILED)) record.hasPayload = false;
    for (const record of rig.twin.addToLog(anEvent(3), FAILED)) record.hasPayload = false;
    rig.pass(30 * MINUTE_MS);
    const report = await rig.run({}, { journal });
    await rig.run({ since: START }, { journal });
    expect(asked).toEqual([['520000002']]);
    const details = report.differences.map(({ detail }) => detail);
    expect(details.filter((detail) => detail.includes('refresh'))).toHaveLength(1);
    expect(JSON.stringify(report)).not.toContain('520000002');
  });
});

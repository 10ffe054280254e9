import { afterEach, describe, expect, test } from 'vitest';
import { StoreError } from '../../src/journal/journal.ts';
import { replayDeadLetters } from '../../src/operations/dead-letter-actions.ts';
import { replayEvent } from '../../src/operations/event-replay.ts';
import { releaseQuarantined } from '../../src/operations/quarantine-actions.ts';
import { pointsIssued, transactionAdded } from '../fixtures/events.ts';
import { type Intake, type IntakeOptions, startIntake, textOf } from './intake-rig.ts';

let intake: Intake;
async function start(options: IntakeOptions = {}): Promise<Intake> {
  intake = await startIntake(options);
  return intake;
}
afterEach(() => intake.close());

const ALL = { filter: {}, asNew: false, by: 'admin', dryRun: false };

describe('an array of events', () => {
  test('is accepted event by event, in its order, each with its own bytes', async () => {
    await start();
    const events = [transactionAdded(1), pointsIssued(1, 5), transactionAdded(2)];
    const { status, body } = await intake.send(JSON.stringify(events, undefined, 2));
    expect(status).toBe(200);
    expect(body).toEqual({ status: 'accepted', receipts: expect.any(Array) });
    const stored = await intake.stored();
    expect(stored.map(({ event }) => event.receipt)).toEqual(body.receipts);
    expect(stored.map((record) => JSON.parse(textOf(record)))).toEqual(events);
    expect(stored.map(({ event }) => event.customerId)).toEqual(['1', '1', '2']);
    expect(await intake.counts()).toEqual({ accepted: 3, malformed: 0, quarantined: 0 });
    expect(intake.reports).toMatchObject([
      { outcome: 'accepted', array: { events: 3, duplicates: 0, malformed: 0 }, source: 'acme' },
    ]);
    expect(intake.reports[0]?.acceptedNames).toEqual(
      new Map([
        ['transactionAdded', 2],
        ['pointsIssued', 1],
      ]),
    );
  });

  test('is answered with the first receipts when it comes again, after a restart too', async () => {
    await start();
    const events = [transactionAdded(1), transactionAdded(2)];
    const first = await intake.send(events);
    await intake.restart();
    expect((await intake.send(events)).body).toEqual(first.body);
    expect((await intake.send([events[1], events[1], transactionAdded(3)])).body).toEqual({
      status: 'accepted',
      receipts: [first.body.receipts[1], first.body.receipts[1], expect.any(String)],
    });
    expect(await intake.counts()).toMatchObject({ accepted: 3 });
    expect(intake.reports.map(({ outcome }) => outcome)).toEqual(['accepted', 'duplicate', 'accepted']);
  });

  test('of one event is an array; the same event alone is a duplicate of it', async () => {
    await start();
    const event = transactionAdded(1);
    const { body } = await intake.send([event]);
    expect(body).toEqual({ status: 'accepted', receipts: [expect.any(String)] });
    expect((await intake.send(event)).body).toEqual({ status: 'duplicate', receipt: body.receipts[0] });
  });

  test('within arrays is resolved, in any envelope', async () => {
    await start();
    const wrapped = { attributes: transactionAdded(3) };
    const { body } = await intake.send([[transactionAdded(1), [transactionAdded(2)]], wrapped]);
    expect(body.receipts).toHaveLength(3);
  });

  test('of thousands is committed in chunks and answered completely', async () => {
    await start({ server: { bodyLimit: '2MB' } });
    const events = Array.from({ length: 1_203 }, (_, index) => ({
      eventName: 'x',
      orgId: 1,
      data: { index },
    }));
    const { body } = await intake.send(events);
    expect(new Set(body.receipts).size).toBe(1_203);
    expect(await intake.counts()).toMatchObject({ accepted: 1_203 });
  });

  test('that is not verified is released from quarantine as its events', async () => {
    await start();
    const events = [transactionAdded(1), transactionAdded(2), 'bad'];
    expect((await intake.send(events, { headers: { 'x-relay-key': 'wrong' } })).status).toBe(401);
    const verify = [{ type: 'header' as const, name: 'X-Relay-Key', values: ['wrong'] }];
    intake.sources.set([{ ...intake.source, verify }]);
    expect(await releaseQuarantined(intake.parts, { filter: {}, by: 'admin', dryRun: false })).toMatchObject({
      matched: 1,
      released: 1,
      duplicates: 0,
      malformed: 0,
      stillRefused: 0,
    });
    expect(await intake.counts()).toEqual({ accepted: 2, malformed: 1, quarantined: 0 });
  });
});

describe('elements that are not events', () => {
  test('are malformed dead letters, and do not affect the others', async () => {
    await start({ source: { orgIds: [100458] } });
    const other = { ...transactionAdded(9), orgId: 7, refId: '7_1' };
    const { status, body } = await intake.send([transactionAdded(1), 5, other, transactionAdded(2), []]);
    expect(status).toBe(200);
    expect(body.receipts).toHaveLength(2);
    expect(body.malformed).toHaveLength(3);
    const malformed = (await intake.stored()).filter(({ event }) => event.state === 'malformed');
    expect(malformed.map(({ event }) => event.receipt)).toEqual(body.malformed);
    expect(malformed.map(textOf)).toEqual(['5', JSON.stringify(other), '[]']);
    expect(malformed.map(({ event }) => event.detail)).toEqual([
      'not-an-event: the body is not an object',
      'wrong-org: orgId is not one of the orgIds of this source',
      'not-an-event: the body is an array of 0; it must be one event',
    ]);
    expect(intake.reports).toMatchObject([
      { outcome: 'partly-malformed', array: { events: 2, duplicates: 0, malformed: 3 } },
    ]);
  });

  test.each([
    ['[]', 'not-an-event', 'the body is an array of 0; it must be one event'],
    ['[[]]', 'not-an-event', 'no element of the array is an event (1); the first: the body is an array of 0'],
    ['[1,{}]', 'not-an-event', 'no element of the array is an event (2); the first: the body is not an'],
    ['[{"eventName":"a","orgId":1}', 'not-json', 'syntax error at position 28'],
  ])('without any event the body %s is one dead letter', async (text, code, detail) => {
    await start();
    const answer = await intake.send(text);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code, detail: expect.stringContaining(detail) });
    const stored = await intake.stored();
    expect(stored.map(textOf)).toEqual([text]);
    expect(await intake.counts()).toMatchObject({ accepted: 0, malformed: 1 });
  });

  test('are stored together with the whole array if there are very many', async () => {
    await start();
    const text = JSON.stringify([transactionAdded(1), ...Array.from({ length: 5_000 }, () => 1)]);
    const { body } = await intake.send(text);
    expect(body.receipts).toHaveLength(1);
    expect(body.malformed).toHaveLength(1);
    const [, malformed] = await intake.stored();
    expect(malformed?.event.detail).toBe(
      'array: 5000 of its elements are not events; the others were accepted',
    );
    expect(textOf(malformed!)).toBe(text);
    expect(await replayDeadLetters(intake.parts, ALL)).toMatchObject({ matched: 1, duplicates: 1 });
    expect(await intake.counts()).toMatchObject({ accepted: 1, malformed: 1 });
  });
});

describe('a store that fails', () => {
  /** Fails the append with this number, counted from 1, once. */
  function failingAppend(number: number): IntakeOptions {
    let calls = 0;
    return {
      wrap: (journal) => ({
        append: (event) => {
          calls += 1;
          return calls === number
            ? Promise.reject(new StoreError('the disk is full'))
            : journal.append(event);
        },
      }),
    };
  }

  test('in the middle of an array: 503, and sending it again adds only what is missing', async () => {
    await start(failingAppend(2));
    const events = [transactionAdded(1), transactionAdded(2), 'bad', transactionAdded(3)];
    const { status, headers } = await intake.send(events);
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    // The bad element is stored after the events, so that it is not stored twice.
    expect(await intake.counts()).toEqual({ accepted: 2, malformed: 0, quarantined: 0 });
    const again = await intake.send(events);
    expect(again.body).toMatchObject({ status: 'accepted', malformed: [expect.any(String)] });
    expect(new Set(again.body.receipts).size).toBe(3);
    expect(await intake.counts()).toEqual({ accepted: 3, malformed: 1, quarantined: 0 });
  });

  test('stops at the first chunk that is not stored', async () => {
    await start({ ...failingAppend(1), server: { bodyLimit: '2MB' } });
    const events = Array.from({ length: 1_500 }, (_, index) => ({
      eventName: 'x',
      orgId: 1,
      data: { index },
    }));
    expect((await intake.send(events)).status).toBe(503);
    expect(await intake.counts()).toMatchObject({ accepted: 499 });
    expect((await intake.send(events)).body.receipts).toHaveLength(1_500);
  });

  test('because the store becomes full: the space of every event is reserved before it is written', async () => {
    const admitted: [number, number | undefined][] = [];
    const refusal = { code: 'store-full', detail: 'full', retryAfter: 30 } as const;
    await start({
      server: { bodyLimit: '2MB' },
      admission: {
        admit: (bytes, events) => {
          admitted.push([bytes, events]);
          return admitted.length > 2 ? refusal : undefined;
        },
      },
    });
    const events = Array.from({ length: 501 }, (_, index) => ({ eventName: 'x', orgId: 1, data: { index } }));
    const { status, headers } = await intake.send(events);
    expect({ status, retryAfter: headers['retry-after'] }).toEqual({ status: 503, retryAfter: '30' });
    expect(admitted.map(([, count]) => count)).toEqual([undefined, 500, 1]);
    expect(await intake.counts()).toMatchObject({ accepted: 500 });
  });
});

describe('an array that an earlier version stored as malformed', () => {
  const storeArray = (value: unknown): Promise<{ receipt: string }> =>
    intake.journal.appendMalformed({
      source: 'acme',
      destination: 'acme-aep',
      receivedAt: 1_000,
      verifiedBy: 'header:x-relay-key',
      detail: 'not-an-event: the body is an array of 3; it must be one event',
      body: Buffer.from(JSON.stringify(value)),
    });

  test('becomes its events; the first one takes the receipt', async () => {
    await start();
    const events = ['bad', transactionAdded(1), transactionAdded(2), transactionAdded(3)];
    const { receipt } = await storeArray(events);
    expect(await replayDeadLetters(intake.parts, { ...ALL, dryRun: true })).toMatchObject({ replayed: 0 });
    expect(await replayDeadLetters(intake.parts, ALL)).toMatchObject({
      matched: 1,
      replayed: 1,
      duplicates: 0,
      stillMalformed: 0,
    });
    const stored = await intake.stored();
    expect(stored.map(({ event }) => event.state).toSorted()).toEqual([
      'malformed',
      'pending',
      'pending',
      'pending',
    ]);
    const first = stored.find(({ event }) => event.receipt === receipt);
    expect(JSON.parse(textOf(first!))).toEqual(events[1]);
    expect(await intake.counts()).toMatchObject({ accepted: 3, malformed: 1 });
  });

  test('is a duplicate if all its events are known, and stays malformed without any event', async () => {
    await start();
    const events = [transactionAdded(1), transactionAdded(2)];
    await intake.send(events);
    await storeArray(events);
    await storeArray([1, 2]);
    expect(await replayDeadLetters(intake.parts, ALL)).toMatchObject({
      matched: 2,
      replayed: 0,
      duplicates: 1,
      stillMalformed: 1,
    });
    expect(await intake.counts()).toMatchObject({ accepted: 2, malformed: 1 });
  });

  test('loses nothing if the store fails in between', async () => {
    await start();
    const { receipt } = await storeArray([transactionAdded(1), transactionAdded(2)]);
    const record = await intake.journal.find(receipt);
    const promote = () => Promise.reject(new StoreError('the disk is full'));
    const failing = { ...intake.parts, journal: { ...intake.journal, promote } };
    const options = { asNew: false, by: 'admin' };
    await expect(replayEvent(failing, record!, options)).rejects.toThrow(StoreError);
    expect(await intake.counts()).toMatchObject({ accepted: 1, malformed: 1 });
    expect(await replayEvent(intake.parts, record!, options)).toEqual({
      ok: true,
      receipt,
      duplicate: false,
    });
    expect(await intake.counts()).toMatchObject({ accepted: 2, malformed: 0 });
  });
});

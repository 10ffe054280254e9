import { xdmId } from '../../../src/xdm/xdm-record.ts';
import { describe, expect, it } from 'vitest';
import {
  acceptEvents,
  deliverEvents,
  deliverPending,
  EVENTS,
  failedLine,
  NEVER,
  PROFILES,
  setUpBatches,
} from './batch-rig.ts';

const NONE = { refused: 0, settledSince: 0, undecided: 0, foreign: 0, unknown: 0, receipts: [] };

describe('a failed batch', () => {
  it('makes dead letters of its events, once', async () => {
    const { journal, check, fail, stateOf, found } = await setUpBatches();
    const [good, bad] = await deliverEvents(journal, 2);
    fail('b1', [failedLine(bad!.id, { eventType: 'x' })]);
    const first = await check.check(NEVER);
    expect(first).toEqual({ batches: 1, tally: { ...NONE, refused: 1, receipts: [bad!.receipt] } });
    expect([await stateOf(good!.receipt), await stateOf(bad!.receipt)]).toEqual([
      'delivered',
      'refused-later',
    ]);
    const record = await journal.find(bad!.receipt);
    expect(record?.event.detail).toBe(
      'AEP refused it after its answer, in batch b1: DCVS-1105-400 […] is no date at #/x',
    );
    expect(record?.sent).toEqual([{ kind: 'event', json: JSON.stringify({ _id: bad!.id, eventType: 'x' }) }]);
    expect(await check.check(NEVER)).toEqual({ batches: 0, tally: NONE });
    expect(found).toEqual([{ kind: 'refused-later', cause: 'validation', count: 1 }]);
    expect(await journal.landings()).toEqual({ acme: { landed: 0, refusedLater: 1 } });
  });

  it('is shown as open until its dead letters are replayed', async () => {
    const { journal, check, fail } = await setUpBatches();
    const [bad] = await deliverEvents(journal, 1);
    fail('b1', [failedLine(bad!.id)]);
    await check.check(NEVER);
    const shown = { kind: 'refused-later', cause: 'validation', count: 1, receipt: bad!.receipt };
    expect(await check.report()).toMatchObject({
      open: { 'refused-later': 1 },
      differences: [{ ...shown, isOpen: true }],
    });
    await journal.replay({ filter: { reason: 'refused-later' }, asNew: true, by: 'test' });
    expect(await check.report()).toMatchObject({ open: {}, differences: [{ ...shown, isOpen: false }] });
  });

  it('leaves an event that was sent again since, and one that was replayed as new', async () => {
    const { journal, gateway, check, fail, stateOf } = await setUpBatches();
    const [again, asNew] = await deliverEvents(journal, 2);
    const now = Date.now() - 60_000;
    const files = { 'part-0.json': [again!, asNew!].map(({ id }) => failedLine(id)).join('\n') };
    gateway.batches.push({ id: 'old', datasetId: EVENTS, created: now, completed: now, files });
    await journal.replay({ filter: { receipts: [asNew!.receipt] }, asNew: true, by: 'test' });
    await deliverPending(journal);
    fail('new', [failedLine(asNew!.id)]);
    expect((await check.check(NEVER)).tally).toEqual({ ...NONE, settledSince: 3 });
    expect(await stateOf(again!.receipt)).toBe('delivered');
    expect(await stateOf(asNew!.receipt)).toBe('delivered');
  });

  it('refuses the replay as new by its own id', async () => {
    const { journal, check, fail, stateOf } = await setUpBatches();
    const [sent] = await deliverEvents(journal, 1);
    fail('b1', [failedLine(sent!.id)]);
    await check.check(NEVER);
    await journal.replay({ filter: { receipts: [sent!.receipt] }, asNew: true, by: 'test' });
    await deliverPending(journal);
    expect(await stateOf(sent!.receipt)).toBe('delivered');
    const suffix = (await journal.find(sent!.receipt))?.event.idSuffix;
    fail('b2', [failedLine(`${sent!.id}${suffix}`)]);
    expect((await check.check(NEVER)).tally.refused).toBe(1);
    expect(await stateOf(sent!.receipt)).toBe('refused-later');
  });

  it('refuses both records of an event, so that a replay sends both', async () => {
    const { journal, check, fail } = await setUpBatches();
    const [both, one] = await deliverEvents(journal, 2, ['event', 'profile']);
    fail('events', [failedLine(both!.id), failedLine(one!.id)]);
    fail('profiles', [failedLine(both!.id)], PROFILES);
    expect((await check.check(NEVER)).tally).toMatchObject({ refused: 3 });
    expect((await journal.find(both!.receipt))?.event.delivered).toEqual([]);
    expect((await journal.find(one!.receipt))?.event.delivered).toEqual(['profile']);
    expect((await journal.find(both!.receipt))?.sent.map(({ kind }) => kind)).toEqual(['event', 'profile']);
    expect(await journal.landings()).toEqual({ acme: { landed: 0, refusedLater: 2 } });
  });

  it('refuses an event that was sent before the refusal and settled after it', async () => {
    const { journal, gateway, check, stateOf } = await setUpBatches();
    const now = Date.now();
    const [slow] = await deliverEvents(journal, 1, ['event'], now - 5_000);
    const [later] = await deliverEvents(journal, 1, ['event'], now - 1_000);
    const files = { f: [slow!, later!].map(({ id }) => failedLine(id)).join('\n') };
    gateway.batches.push({ id: 'b', datasetId: EVENTS, created: now - 4_000, completed: now - 3_000, files });
    expect((await check.check(NEVER)).tally).toMatchObject({ refused: 1, settledSince: 1 });
    expect(await stateOf(slow!.receipt)).toBe('refused-later');
    expect(await stateOf(later!.receipt)).toBe('delivered');
  });

  it('waits for an event whose other message is still on its way', async () => {
    const { journal, check, fail, stateOf, found } = await setUpBatches();
    const [sent] = await acceptEvents(journal, 1);
    const limits = { sources: ['acme'], events: 10, replays: 10, bytes: 1e6 };
    const { token } = await journal.claim({ id: 'rig', destination: 'aep' }, limits);
    const request = { id: 'half', at: Date.now(), kind: 'event', durationMs: 1, batchSize: 1 } as const;
    const half = {
      receipt: sent!.receipt,
      delivered: ['event'],
      failedAttempts: 1,
      ownFaultCount: 0,
    } as const;
    const attempts = [{ request: { ...request, status: 207 }, outcome: 'delivered' }];
    await journal.settle(token, [{ ...half, state: 'pending', dueIn: 0, attempts }]);
    fail('b1', [failedLine(sent!.id)]);
    expect(await check.check(NEVER)).toMatchObject({ batches: 0 });
    expect([await stateOf(sent!.receipt), found]).toEqual(['pending', []]);
    await deliverPending(journal, ['profile']);
    expect(await stateOf(sent!.receipt)).toBe('delivered');
    expect(await check.check(NEVER)).toMatchObject({ batches: 1, tally: { refused: 1 } });
    expect((await journal.find(sent!.receipt))?.event).toMatchObject({
      reason: 'refused-later',
      delivered: ['profile'],
    });
  });

  it('waits for an event whose outcome is not recorded yet', async () => {
    const { journal, check, fail, stateOf } = await setUpBatches();
    const [sent] = await acceptEvents(journal, 1);
    const at = Date.now();
    fail('b1', [failedLine(sent!.id)]);
    expect(await check.check(NEVER)).toMatchObject({ batches: 0 });
    await deliverPending(journal, ['event'], at);
    expect(await check.check(NEVER)).toMatchObject({ batches: 1, tally: { refused: 1 } });
    expect(await stateOf(sent!.receipt)).toBe('refused-later');
  });

  it('names records of other systems and unknown ones', async () => {
    const { check, fail, found } = await setUpBatches();
    fail('b1', [
      failedLine('web-1'),
      failedLine(`cap-${'0'.repeat(40)}`),
      JSON.stringify({
        _errors: { _streamingValidation: [{ message: 'Payload body is missing xdmEntity' }] },
      }),
    ]);
    expect((await check.check(NEVER)).tally).toEqual({ ...NONE, foreign: 1, unknown: 2 });
    expect(found).toEqual([{ kind: 'unknown-record', cause: 'unknown', count: 2 }]);
    const { differences, open } = await check.report();
    expect(open).toEqual({ 'unknown-record': 2 });
    expect(differences).toMatchObject([
      { kind: 'unknown-record', cause: 'unknown', count: 2, isOpen: true },
      { kind: 'unknown-record', cause: 'another-writer', count: 1, isOpen: false },
    ]);
  });

  it('counts records that Adobe counts and no file has', async () => {
    const { gateway, journal, check } = await setUpBatches();
    const [sent] = await deliverEvents(journal, 1);
    const now = Date.now();
    const common = { datasetId: EVENTS, created: now, completed: now };
    gateway.batches.push({ ...common, id: 'gone', failedRecordCount: 4, files: {} });
    gateway.batches.push({ ...common, id: 'part', failedRecordCount: 3, files: { f: failedLine(sent!.id) } });
    expect((await check.check(NEVER)).tally).toMatchObject({ refused: 1, unknown: 6 });
  });

  it('of a raw destination is matched by the event id', async () => {
    const { journal, checkWith, fail, stateOf } = await setUpBatches();
    const [sent] = await deliverEvents(journal, 1);
    const { eventId } = (await journal.find(sent!.receipt))!.event;
    const line = (body: object) => JSON.stringify({ body, _validationErrors: [{ message: 'no' }] });
    fail('b1', [line({ eventName: 'pointsIssued', eventId }), line({ eventId: 'never-seen' })]);
    const check = checkWith({
      destination: { name: 'aep', format: 'raw', events: { schemaId: '', datasetId: EVENTS, flowId: '' } },
    } as never);
    expect((await check.check(NEVER)).tally).toMatchObject({ refused: 1, unknown: 1 });
    expect(await stateOf(sent!.receipt)).toBe('refused-later');
  });
});

it('a record of another destination that writes to the same dataset is no unknown one', async () => {
  const destination = {
    name: 'other',
    format: 'xdm',
    events: { schemaId: '', flowId: '', datasetId: EVENTS },
  } as const;
  const { journal, check, fail } = await setUpBatches({ destination, others: () => ['aep'] });
  const [sent] = await deliverEvents(journal, 1);
  fail('b1', [failedLine(sent!.id), failedLine(xdmId('0'.repeat(64)))]);
  const { tally } = await check.check(NEVER);
  expect(tally).toMatchObject({ refused: 0, foreign: 1, unknown: 1 });
});

describe('many batches', () => {
  it('are all found, also those of one millisecond', async () => {
    const { journal, gateway, check } = await setUpBatches();
    const sent = await deliverEvents(journal, 330);
    const now = Date.now();
    for (const [place, { id }] of sent.entries()) {
      const created = place < 250 ? now : now + Math.floor(place / 3);
      const files = { f: failedLine(id) };
      gateway.batches.push({ id: `b${place}`, datasetId: EVENTS, created, completed: now + 1_000, files });
    }
    const { batches, tally } = await check.check(NEVER);
    expect([batches, tally.refused]).toEqual([330, 330]);
    expect(await check.check(NEVER)).toEqual({ batches: 0, tally: NONE });
  });

  it('are found although a page of them is larger than an answer that is read', async () => {
    const { journal, gateway, check } = await setUpBatches();
    const sent = await deliverEvents(journal, 24);
    const created = Date.now();
    const errors = [{ code: 'DCVS-1104-400', description: 'type', rows: Array(100_000).fill('1234567') }];
    for (const [place, { id }] of sent.entries()) {
      const files = { f: failedLine(id) };
      gateway.batches.push({
        id: `b${place}`,
        datasetId: EVENTS,
        created,
        completed: created + 1_000,
        files,
        errors,
      });
    }
    const { batches, problem, tally } = await check.check(NEVER);
    expect([batches, problem, tally.refused]).toEqual([24, undefined, 24]);
  });

  it('with 10,000 records in one file are judged in steps', async () => {
    const { journal, check, fail, gateway } = await setUpBatches();
    const sent = await deliverEvents(journal, 10_000);
    fail(
      'b1',
      sent.map(({ id }) => failedLine(id)),
    );
    const { tally } = await check.check(NEVER);
    expect(tally.refused).toBe(10_000);
    expect(await journal.count({ reason: 'refused-later' })).toBe(10_000);
    expect(gateway.requests.filter((path) => path.includes('path='))).toHaveLength(1);
  });
});

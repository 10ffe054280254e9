import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import {
  type BatchRig,
  deliverEvents,
  failedLine,
  NEVER,
  openRigJournal,
  setUpBatches,
} from './batch-rig.ts';

type Answer = (response: ServerResponse) => void;

const text =
  (status: number, body: string, type = 'application/json'): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': type }).end(body);

const FORBIDDEN = text(403, JSON.stringify({ error_code: '403025', message: 'Profile is not valid' }));
const THROTTLED = text(429, JSON.stringify({ error_code: '429050', message: 'Too many requests' }));
const OUTAGE = text(503, JSON.stringify({ title: 'Unavailable', status: 503 }));
const PAGE = text(200, '<html>Log in</html>', 'text/html');
const RESET: Answer = (response) => void response.destroy();

const FAULTS = [
  ['403', FORBIDDEN, 'forbidden'],
  ['429', THROTTLED, 'throttled'],
  ['an outage', OUTAGE, 'unavailable'],
  ['a page of a proxy', PAGE, 'foreign'],
  ['a reset', RESET, 'network'],
] as const;

/** The places in a check at which a call can fail. */
const PLACES = [
  ['the list of batches', (path: string) => path.includes('/catalog/')],
  ['the list of files', (path: string) => path.endsWith('/failed')],
  ['the file', (path: string) => path.includes('path=')],
] as const;

/** Lets a fault answer what matches. */
function breakAt({ gateway }: BatchRig, isPlace: (path: string) => boolean, answer: Answer): void {
  gateway.intercept(({ url = '' }, response) => {
    if (!isPlace(url)) return false;
    answer(response);
    return true;
  });
}

describe.each(PLACES)('a failure at %s', (_place, isPlace) => {
  it.each(FAULTS)('by %s ends the check, and the next one does all of it', async (_what, answer, code) => {
    const rig = await setUpBatches();
    const [one, two] = await deliverEvents(rig.journal, 2);
    rig.fail('b1', [failedLine(one!.id)]);
    rig.fail('b2', [failedLine(two!.id)]);
    breakAt(rig, isPlace, answer);
    const broken = await rig.check.check(NEVER);
    expect(broken).toMatchObject({ batches: 0, problem: { code } });
    expect(rig.calls.at(-1)).toBe(code);
    rig.gateway.recover();
    const next = await rig.check.check(NEVER);
    expect(next).toMatchObject({ batches: 2, tally: { refused: 2 } });
    expect(next.problem).toBeUndefined();
  });
});

it('a missing permission is named with its fix', async () => {
  const rig = await setUpBatches();
  breakAt(rig, () => true, FORBIDDEN);
  const { problem } = await rig.check.check(NEVER);
  expect(problem?.detail).toContain('not on a product profile');
  expect(problem?.fix).toContain('AEP-Default-All-Users');
});

it('a batch that cannot be read does not hold up the others, and is given up at last', async () => {
  const rig = await setUpBatches();
  const [sent] = await deliverEvents(rig.journal, 1);
  rig.fail('b1', ['{}']);
  rig.fail('b2', [failedLine(sent!.id)]);
  breakAt(rig, (path) => path.includes('/b1/'), PAGE);
  expect((await rig.check.check(NEVER)).problem?.code).toBe('foreign');
  expect((await rig.check.check(NEVER)).tally.refused).toBe(1);
  for (let attempt = 3; attempt <= 20; attempt += 1) await rig.check.check(NEVER);
  expect(rig.found).toEqual([
    { kind: 'refused-later', cause: 'validation', count: 1 },
    { kind: 'unknown-record', cause: 'unknown', count: 1 },
  ]);
  expect(await rig.check.check(NEVER)).toMatchObject({ batches: 0 });
});

it('a file that breaks off is read on at the record where it did', async () => {
  const rig = await setUpBatches();
  const sent = await deliverEvents(rig.journal, 1_200);
  const lines = sent.map(({ id }) => `${failedLine(id)}\n`);
  rig.fail('b1', lines.join(''));
  rig.gateway.intercept(({ url = '' }, response) => {
    if (!url.includes('path=')) return false;
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.write(lines.slice(0, 1_100).join(''), () => response.destroy());
    return true;
  });
  expect((await rig.check.check(NEVER)).problem?.code).toBe('network');
  const before = await rig.journal.count({ reason: 'refused-later' });
  expect(before).toBeGreaterThanOrEqual(500);
  rig.gateway.recover();
  const asked: number[] = [];
  const sentEvents: typeof rig.journal.sentEvents = (destination, prefixes) => {
    asked.push(prefixes.length);
    return rig.journal.sentEvents(destination, prefixes);
  };
  const check = rig.checkWith({ journal: { ...rig.journal, sentEvents } });
  expect(await check.check(NEVER)).toMatchObject({ batches: 1, tally: { refused: 1_200 } });
  expect(asked.reduce((sum, number) => sum + number, 0)).toBe(1_200 - before);
});

it.each(['refuse', 'saveReconciliationNotes'] as const)(
  'a process that dies at `%s` in the middle of a batch is succeeded by one that counts the same',
  async (call) => {
    const rig = await setUpBatches();
    const sent = await deliverEvents(rig.journal, 1_700);
    rig.fail(
      'b1',
      sent.map(({ id }) => failedLine(id)),
    );
    let calls = 0;
    const dying = {
      ...rig.journal,
      async [call](...args: readonly unknown[]): Promise<unknown> {
        calls += 1;
        if (calls === 2) throw new Error('killed');
        return (rig.journal[call] as (...given: readonly unknown[]) => Promise<unknown>)(...args);
      },
    };
    await expect(rig.checkWith({ journal: dying }).check(NEVER)).rejects.toThrow('killed');
    expect(await rig.journal.count({ reason: 'refused-later' })).toBeLessThan(1_700);
    await rig.journal.close();
    const journal = await openRigJournal(rig.path);
    const check = rig.checkWith({ journal });
    expect(await check.check(NEVER)).toMatchObject({ batches: 1, tally: { refused: 1_700, unknown: 0 } });
    expect(await journal.count({ reason: 'refused-later' })).toBe(1_700);
    expect(rig.found).toEqual([{ kind: 'refused-later', cause: 'validation', count: 1_700 }]);
  },
);

it('an abort ends the check with its reason', async () => {
  const rig = await setUpBatches();
  const sent = await deliverEvents(rig.journal, 1_200);
  rig.fail(
    'b1',
    sent.map(({ id }) => failedLine(id)),
  );
  const ending = new AbortController();
  const refuse: typeof rig.journal.refuse = (...given) => {
    ending.abort(new Error('the leader changed'));
    return rig.journal.refuse(...given);
  };
  const check = rig.checkWith({ journal: { ...rig.journal, refuse } });
  await expect(check.check(ending.signal)).rejects.toThrow('the leader changed');
  expect(await rig.check.check(NEVER)).toMatchObject({ tally: { refused: 1_200 } });
});

describe('one batch that Adobe has reported', () => {
  it('is read at once, and not by the next check', async () => {
    const rig = await setUpBatches();
    const [sent] = await deliverEvents(rig.journal, 1);
    rig.fail('b1', [failedLine(sent!.id)]);
    const tell = () => rig.check.checkBatch('events-dataset', 'b1', NEVER);
    expect(await tell()).toMatchObject({ state: 'done', tally: { refused: 1 } });
    expect(await tell()).toMatchObject({ state: 'done', tally: { refused: 1 } });
    expect(await rig.check.check(NEVER)).toMatchObject({ batches: 0 });
    expect(rig.found).toHaveLength(1);
  });

  it('can be unknown, of another dataset, or not failed yet', async () => {
    const rig = await setUpBatches();
    const now = Date.now();
    rig.gateway.batches.push({ id: 'b1', datasetId: 'events-dataset', created: now, status: 'processing' });
    expect(await rig.check.checkBatch('events-dataset', 'b1', NEVER)).toEqual({
      state: 'not-failed',
      status: 'processing',
    });
    expect(await rig.check.checkBatch('events-dataset', 'none', NEVER)).toEqual({ state: 'absent' });
    expect(await rig.check.checkBatch('other-dataset', 'b1', NEVER)).toEqual({ state: 'absent' });
  });
});

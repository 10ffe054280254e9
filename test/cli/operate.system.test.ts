import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminCliRig, event, openAdminCliRig } from './admin-cli-rig.ts';
import { cellsOf } from './command-line.ts';

let rig: AdminCliRig;

beforeEach(async () => {
  rig = await openAdminCliRig();
});

afterEach(() => rig.relay.close());

describe('events', () => {
  it('are listed newest first, page by page', async () => {
    const [first, second] = [await rig.post(event('e-1', 11)), await rig.post(event('e-2', 12))];
    const all = await rig.cli('events');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(cellsOf(all.stdout)).toEqual([
      ['RECEIPT', 'RECEIVED', 'SOURCE', 'EVENT', 'CUSTOMER', 'STATE'],
      [second, '2026-01-31 08:00:00Z', 'acme', 'pointsIssued', '12', 'pending'],
      [first, '2026-01-31 08:00:00Z', 'acme', 'pointsIssued', '11', 'pending'],
    ]);

    const page = await rig.cli('events', '--limit', '1');
    const [, cursor = ''] = /There are more: add --cursor (\S+)/.exec(page.stdout) ?? [];
    const rest = await rig.cli('events', '--limit', '1', '--cursor', cursor, '--json');
    expect(JSON.parse(rest.stdout)).toMatchObject({ events: [{ receipt: first }], next: null });

    const one = await rig.cli('events', '--customer-id', '11', '--since', '2026-01-31', '--json');
    expect(JSON.parse(one.stdout).events).toHaveLength(1);
    expect((await rig.cli('events', '--state', 'dead')).stdout).toBe('no events\n');
  });

  it('replays one', async () => {
    const receipt = await rig.post(event('e-1', 11));
    expect(await rig.cli('events', 'replay', receipt)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it is pending'),
    });
    await rig.relay.settle(() => ({ state: 'ignored', reason: 'test-event' }));
    expect(await rig.cli('events', 'replay', receipt, '--as-new')).toMatchObject({
      code: 0,
      stdout: `${receipt} is pending again\n`,
    });
  });
});

describe('dead-letters', () => {
  it('are listed with the answer of Adobe', async () => {
    const receipt = await rig.post(event('e-1', 11));
    await rig.post({ nothing: true });
    await rig.relay.moveToDeadLetters();
    const ended = await rig.cli('dead-letters', 'list', '--reason', 'rejected');
    expect(cellsOf(ended.stdout)[1]).toEqual([
      receipt,
      '2026-01-31 08:00:00Z',
      'acme',
      'pointsIssued',
      '11',
      'dead',
      'rejected',
      '400 no such field',
    ]);
    const json = await rig.cli('dead-letters', 'list', '--json');
    expect(JSON.parse(json.stdout).deadLetters).toHaveLength(2);
  });

  it('replays and discards only what was selected', async () => {
    const receipts = [await rig.post(event('e-1', 11)), await rig.post(event('e-2', 12))];
    await rig.relay.moveToDeadLetters();
    const cli = (...words: string[]) => rig.cli('dead-letters', ...words);

    for (const action of ['replay', 'discard']) {
      expect(await cli(action)).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') });
      expect(await cli(action, 'x', '--all')).toMatchObject({ code: 2 });
    }
    const dry = await cli('replay', '--reason', 'rejected', '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      stdout: 'dry run: matched 2, replayed 0, duplicates 0, still malformed 0\n',
    });
    expect(await cli('replay', receipts[0]!)).toMatchObject({
      code: 0,
      stdout: 'matched 1, replayed 1, duplicates 0, still malformed 0\n',
    });
    const discarded = await cli('discard', '--all', '--json');
    expect(JSON.parse(discarded.stdout)).toEqual({ matched: 1, discarded: 1 });
  });

  it('lists the replays: who, when, which filter', async () => {
    expect((await rig.cli('dead-letters', 'replays')).stdout).toBe('no replays\n');
    await rig.post(event('e-1', 11));
    await rig.relay.moveToDeadLetters();
    await rig.cli('dead-letters', 'replay', '--reason', 'rejected', '--customer-id', '11', '--as-new');
    const ended = await rig.cli('dead-letters', 'replays');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [head, row] = cellsOf(ended.stdout);
    expect(head).toEqual(['ID', 'REQUESTED', 'BY', 'AS NEW', 'MATCHED', 'REPLAYED', 'FINISHED', 'FILTER']);
    expect(row?.slice(3, 6)).toEqual(['yes', '1', '1']);
    expect(row?.at(-1)).toBe('reason rejected, states dead, customerId (hidden)');
    const json = await rig.cli('dead-letters', 'replays', '--json');
    expect(JSON.parse(json.stdout).replays).toMatchObject([{ id: 1, asNew: true, done: true }]);
  });

  it('exits with 1 when a receipt does not exist, or something could not be replayed', async () => {
    expect(await rig.cli('dead-letters', 'replay', 'not-there')).toMatchObject({ code: 1 });
    await rig.post({ nothing: true });
    const ended = await rig.cli('dead-letters', 'replay', '--all');
    expect(ended).toMatchObject({
      code: 1,
      stdout: 'matched 1, replayed 0, duplicates 0, still malformed 1\n',
    });
  });
});

describe('quarantine', () => {
  it('lists, releases what passes now, discards the rest', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const list = await rig.cli('quarantine', 'list');
    expect(cellsOf(list.stdout)[0]).toEqual(['RECEIPT', 'RECEIVED', 'SOURCE', 'FROM', 'BYTES', 'REASONS']);
    expect(list.stdout).not.toContain('wrong');

    const released = await rig.cli('quarantine', 'release', '--source', 'acme');
    expect(released).toMatchObject({ code: 1, stdout: expect.stringContaining('still refused 1') });
    const discarded = await rig.cli('quarantine', 'discard', '--all');
    expect(discarded).toMatchObject({ code: 0, stdout: 'matched 1, discarded 1\n' });
    expect((await rig.cli('quarantine', 'list')).stdout).toBe('no quarantined requests\n');
  });
});

describe('ledger', () => {
  it('balances', async () => {
    for (const id of ['e-1', 'e-2', 'e-3']) await rig.post(event(id, 11));
    await rig.relay.settle(({ eventId }) =>
      eventId === 'e-1'
        ? { state: 'delivered', delivered: ['event'] }
        : { state: 'ignored', reason: 'test-event' },
    );
    const ended = await rig.cli('ledger');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [head, acme, all] = cellsOf(ended.stdout);
    expect(head?.slice(0, 3)).toEqual(['SOURCE', 'ACCEPTED', 'PENDING']);
    expect(acme).toEqual(['acme', '3', '2', '1', '0', '0', '0', '0']);
    expect(all).toEqual(['all', ...acme!.slice(1)]);
    expect(ended.stdout).toContain('accepted 3 = pending 2 + delivered 1 + ignored 0 + dead 0\n');
    expect(JSON.parse((await rig.cli('ledger', '--json')).stdout)).toMatchObject({ balanced: true });
  });
});

describe('coverage', () => {
  it('lists unread fields, and says so when there are none', async () => {
    expect((await rig.cli('coverage')).stdout).toBe(
      '0 events since 2026-01-31 08:00:00Z: no unread fields\n',
    );
    const unread = { mapping: 'own', fields: new Map([['data.outlierStatus', 'NORMAL']]) } as const;
    for (const eventName of ['transactionAdded', 'pointsIssued'])
      rig.relay.coverage.count({ source: 'acme', eventName, replays: 0 }, unread);
    const ended = await rig.cli('coverage', '--event-name', 'transactionAdded');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('1 events since 2026-01-31 08:00:00Z\n');
    expect(cellsOf(ended.stdout).slice(-2)).toEqual([
      ['SOURCE', 'EVENT', 'MAPPING', 'UNREAD', 'TOTAL', 'FIELD', 'EXAMPLE'],
      ['acme', 'transactionAdded', 'own', '1', '1', 'data.outlierStatus', 'XXXXXX'],
    ]);
    expect(JSON.parse((await rig.cli('coverage', '--json')).stdout).events).toHaveLength(2);
  });
});

describe('destinations', () => {
  it('lists, pauses and resumes', async () => {
    const paused = await rig.cli('destinations', 'pause', 'acme-aep');
    expect(paused).toMatchObject({ code: 0, stderr: '' });
    expect(cellsOf(paused.stdout)[1]).toEqual(expect.arrayContaining(['acme-aep', 'paused', 'operator']));
    const list = await rig.cli('destinations', 'list', '--json');
    expect(JSON.parse(list.stdout).destinations).toMatchObject([{ state: 'paused' }, { state: 'flowing' }]);
    expect((await rig.cli('destinations', 'resume', 'acme-aep')).stdout).toMatch(/acme-aep +flowing/);
    expect(await rig.cli('destinations', 'pause', 'nowhere')).toMatchObject({ code: 1 });
  });
});

describe('log-level', () => {
  it('is shown, and changed for a time', async () => {
    expect((await rig.cli('log-level')).stdout).toBe('info (configured: info)\n');
    expect(await rig.cli('log-level', 'debug', '--for', '10m')).toMatchObject({
      code: 0,
      stdout: 'debug until 2026-01-31 08:10:00Z (configured: info)\n',
    });
    expect(JSON.parse((await rig.cli('log-level', '--json')).stdout)).toMatchObject({ level: 'debug' });
    expect(await rig.cli('log-level', 'loud')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('level: must be one of trace'),
    });
    expect(await rig.cli('log-level', '--for', '10m')).toMatchObject({ code: 2 });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AdminStage, event, openAdminStage } from './admin-stage.ts';
import { cellsOf } from './command-line.ts';

let stage: AdminStage;

beforeEach(async () => {
  stage = await openAdminStage();
});

afterEach(() => stage.rig.close());

describe('events', () => {
  it('lists them, newest first, page by page', async () => {
    const [first, second] = [await stage.post(event('e-1', 11)), await stage.post(event('e-2', 12))];
    const all = await stage.cli('events');
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(cellsOf(all.stdout)).toEqual([
      ['RECEIPT', 'RECEIVED', 'SOURCE', 'EVENT', 'CUSTOMER', 'STATE'],
      [second, '2026-01-31 08:00:00Z', 'acme', 'pointsIssued', '12', 'pending'],
      [first, '2026-01-31 08:00:00Z', 'acme', 'pointsIssued', '11', 'pending'],
    ]);

    const page = await stage.cli('events', '--limit', '1');
    const [, cursor = ''] = /There are more: add --cursor (\S+)/.exec(page.stdout) ?? [];
    const rest = await stage.cli('events', '--limit', '1', '--cursor', cursor, '--json');
    expect(JSON.parse(rest.stdout)).toMatchObject({ events: [{ receipt: first }], next: null });

    const one = await stage.cli('events', '--customer-id', '11', '--since', '2026-01-31', '--json');
    expect(JSON.parse(one.stdout).events).toHaveLength(1);
    expect((await stage.cli('events', '--state', 'dead')).stdout).toBe('no events\n');
  });

  it('replays one', async () => {
    const receipt = await stage.post(event('e-1', 11));
    expect(await stage.cli('events', 'replay', receipt)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it is pending'),
    });
    await stage.rig.settle(() => ({ state: 'ignored', reason: 'test-event' }));
    expect(await stage.cli('events', 'replay', receipt, '--as-new')).toMatchObject({
      code: 0,
      stdout: `${receipt} is pending again\n`,
    });
  });
});

describe('dead-letters', () => {
  it('lists them with what Adobe said', async () => {
    const receipt = await stage.post(event('e-1', 11));
    await stage.post({ nothing: true });
    await stage.rig.bury();
    const ended = await stage.cli('dead-letters', 'list', '--reason', 'rejected');
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
    const json = await stage.cli('dead-letters', 'list', '--json');
    expect(JSON.parse(json.stdout).deadLetters).toHaveLength(2);
  });

  it('replays and discards only what was named', async () => {
    const receipts = [await stage.post(event('e-1', 11)), await stage.post(event('e-2', 12))];
    await stage.rig.bury();
    const cli = (...words: string[]) => stage.cli('dead-letters', ...words);

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

  it('lists the replays: who, when, what', async () => {
    expect((await stage.cli('dead-letters', 'replays')).stdout).toBe('no replays\n');
    await stage.post(event('e-1', 11));
    await stage.rig.bury();
    await stage.cli('dead-letters', 'replay', '--reason', 'rejected', '--customer-id', '11', '--as-new');
    const ended = await stage.cli('dead-letters', 'replays');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [head, row] = cellsOf(ended.stdout);
    expect(head).toEqual(['ID', 'ASKED', 'BY', 'AS NEW', 'MATCHED', 'REPLAYED', 'ENDED', 'OF']);
    expect(row?.slice(3, 6)).toEqual(['yes', '1', '1']);
    expect(row?.at(-1)).toBe('reason rejected, states dead, customerId (hidden)');
    const json = await stage.cli('dead-letters', 'replays', '--json');
    expect(JSON.parse(json.stdout).replays).toMatchObject([{ id: 1, asNew: true, done: true }]);
  });

  it('ends with 1 when a receipt is not there, or something could not be replayed', async () => {
    expect(await stage.cli('dead-letters', 'replay', 'not-there')).toMatchObject({ code: 1 });
    await stage.post({ nothing: true });
    const ended = await stage.cli('dead-letters', 'replay', '--all');
    expect(ended).toMatchObject({
      code: 1,
      stdout: 'matched 1, replayed 0, duplicates 0, still malformed 1\n',
    });
  });
});

describe('quarantine', () => {
  it('lists, releases what passes now, discards the rest', async () => {
    await stage.rig.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const list = await stage.cli('quarantine', 'list');
    expect(cellsOf(list.stdout)[0]).toEqual([
      'RECEIPT',
      'RECEIVED',
      'SOURCE',
      'FROM',
      'BYTES',
      'REFUSED FOR',
    ]);
    expect(list.stdout).not.toContain('wrong');

    const released = await stage.cli('quarantine', 'release', '--source', 'acme');
    expect(released).toMatchObject({ code: 1, stdout: expect.stringContaining('still refused 1') });
    const discarded = await stage.cli('quarantine', 'discard', '--all');
    expect(discarded).toMatchObject({ code: 0, stdout: 'matched 1, discarded 1\n' });
    expect((await stage.cli('quarantine', 'list')).stdout).toBe('nothing is quarantined\n');
  });
});

describe('ledger', () => {
  it('adds up', async () => {
    for (const id of ['e-1', 'e-2', 'e-3']) await stage.post(event(id, 11));
    await stage.rig.settle(({ eventId }) =>
      eventId === 'e-1'
        ? { state: 'delivered', delivered: ['event'] }
        : { state: 'ignored', reason: 'test-event' },
    );
    const ended = await stage.cli('ledger');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [head, acme, all] = cellsOf(ended.stdout);
    expect(head?.slice(0, 3)).toEqual(['SOURCE', 'ACCEPTED', 'PENDING']);
    expect(acme).toEqual(['acme', '3', '2', '1', '0', '0', '0', '0']);
    expect(all).toEqual(['all', ...acme!.slice(1)]);
    expect(ended.stdout).toContain('accepted 3 = pending 2 + delivered 1 + ignored 0 + dead 0\n');
    expect(JSON.parse((await stage.cli('ledger', '--json')).stdout)).toMatchObject({ balanced: true });
  });
});

describe('coverage', () => {
  it('lists the fields that went unread, and says so when there are none', async () => {
    expect((await stage.cli('coverage')).stdout).toBe(
      '0 events since 2026-01-31 08:00:00Z: no field went unread\n',
    );
    const unread = { mapping: 'own', fields: new Map([['data.outlierStatus', 'NORMAL']]) } as const;
    for (const eventName of ['transactionAdded', 'pointsIssued'])
      stage.rig.coverage.count({ source: 'acme', eventName, replays: 0 }, unread);
    const ended = await stage.cli('coverage', '--event-name', 'transactionAdded');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('1 events since 2026-01-31 08:00:00Z\n');
    expect(cellsOf(ended.stdout).slice(-2)).toEqual([
      ['SOURCE', 'EVENT', 'MAPPING', 'UNREAD', 'OF', 'FIELD', 'EXAMPLE'],
      ['acme', 'transactionAdded', 'own', '1', '1', 'data.outlierStatus', 'XXXXXX'],
    ]);
    expect(JSON.parse((await stage.cli('coverage', '--json')).stdout).events).toHaveLength(2);
  });
});

describe('destinations', () => {
  it('lists, pauses and resumes', async () => {
    const paused = await stage.cli('destinations', 'pause', 'acme-aep');
    expect(paused).toMatchObject({ code: 0, stderr: '' });
    expect(cellsOf(paused.stdout)[1]).toEqual(expect.arrayContaining(['acme-aep', 'paused', 'operator']));
    const list = await stage.cli('destinations', 'list', '--json');
    expect(JSON.parse(list.stdout).destinations).toMatchObject([{ state: 'paused' }, { state: 'flowing' }]);
    expect((await stage.cli('destinations', 'resume', 'acme-aep')).stdout).toMatch(/acme-aep +flowing/);
    expect(await stage.cli('destinations', 'pause', 'nowhere')).toMatchObject({ code: 1 });
  });
});

describe('log-level', () => {
  it('shows it and changes it for a time', async () => {
    expect((await stage.cli('log-level')).stdout).toBe('info (configured: info)\n');
    expect(await stage.cli('log-level', 'debug', '--for', '10m')).toMatchObject({
      code: 0,
      stdout: 'debug until 2026-01-31 08:10:00Z (configured: info)\n',
    });
    expect(JSON.parse((await stage.cli('log-level', '--json')).stdout)).toMatchObject({ level: 'debug' });
    expect(await stage.cli('log-level', 'loud')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('level: must be one of trace'),
    });
    expect(await stage.cli('log-level', '--for', '10m')).toMatchObject({ code: 2 });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import { type AdminStage, TOKEN, event, openAdminStage } from './admin-stage.ts';
import { cellsOf, run } from './command-line.ts';

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

describe('explain', () => {
  const rejected: Partial<Settlement> = {
    attempts: [
      {
        at: Date.UTC(2026, 0, 31, 8, 0, 1),
        kind: 'event',
        outcome: 'rejected',
        status: 400,
        detail: '400 no such field',
        xactionId: '1565638336649:1750:244',
        durationMs: 12,
        batchSize: 3,
      },
    ],
  };

  it('tells a dead letter from receipt to what to do next, by receipt and by event id', async () => {
    const receipt = await stage.post(event('e-1', 11));
    await stage.rig.settle(() => ({
      ...rejected,
      state: 'dead',
      reason: 'rejected',
      detail: '400 no such field',
      sent: [{ kind: 'event', json: '{"header":{},"body":{"xdmEntity":{}}}' }],
      notes: [{ path: 'data.currencyCode', code: 'wrong-pattern' }],
    }));
    const ended = await stage.cli('explain', receipt);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const order = [
      `${receipt}: dead (rejected)\nIt was given up, 0 ms after it came, with 1 attempt, and is kept as a dead letter. Adobe has nothing of it.\n`,
      'event      pointsIssued, e-1, org 100737, created 2026-01-01 00:00:00Z',
      'way        acme to acme-aep',
      'customer   11',
      'identity   ',
      'mapped to  ExperienceEvent',
      'received  from acme,',
      'verified  by header:x-relay-key, the secret header that it came with',
      'ExperienceEvent rejected: Adobe answered 400, xaction 1565638336649:1750:244, 12 ms, batch of 3: 400 no such field',
      'Left out or changed: 1',
      'KIND     WHERE              CODE           WHY',
      'dropped  data.currencyCode  wrong-pattern  the value does not have the form',
      'What to do next',
      `What came and went: capillary-relay explain ${receipt} --body --url ${stage.url}\n`,
      `More like it: capillary-relay dead-letters list --source acme --reason rejected --url ${stage.url}\n`,
      `Replay: capillary-relay dead-letters replay ${receipt} --url ${stage.url}\n`,
    ];
    const places = order.map((text) => ended.stdout.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(ended.stdout).not.toContain('customerIdentifiers');

    const byId = await stage.cli('explain', 'e-1', '--body');
    expect(byId.stdout).toContain('"customerIdentifiers"');
    expect(JSON.parse((await stage.cli('explain', 'e-1', '--json')).stdout)).toMatchObject({ receipt });
  });

  it('says why a pending event waits', async () => {
    const receipt = await stage.post(event('e-1', 11));
    await stage.cli('destinations', 'pause', 'acme-aep');
    const ended = await stage.cli('explain', receipt);
    expect(ended.stdout).toContain('It waits because the destination acme-aep is paused (operator).');
    expect(ended.stdout).toContain('capillary-relay destinations resume acme-aep');
  });

  it('the commands that it names can be run as they stand', async () => {
    const receipt = await stage.post(event('e-1', 11));
    await stage.rig.bury();
    const { stdout } = await stage.cli('explain', receipt);
    const commands = [
      ...stdout.matchAll(/^(?:What came and went|More like it|Replay): capillary-relay (.*)$/gm),
    ].map(([, words = '']) => words.split(' '));
    expect(commands).toHaveLength(3);
    for (const words of commands)
      expect(await run(words, { env: { RELAY_ADMIN_TOKEN: TOKEN } })).toMatchObject({ code: 0, stderr: '' });
    const pending = await stage.cli('explain', receipt);
    expect(pending.stdout).toMatch(/\nIt was replayed and waits to be sent again; it came .* ago\./);
    const [, neighbours = ''] = /^Its neighbours: capillary-relay (.*)$/m.exec(pending.stdout) ?? [];
    const listed = await run(neighbours.split(' '), { env: { RELAY_ADMIN_TOKEN: TOKEN } });
    expect(listed.stdout).toContain(receipt);
  });

  it('attempts that came to the same are told once, with how many and until when', async () => {
    const receipt = await stage.post(event('e-1', 11));
    const at = Date.UTC(2026, 0, 31, 8);
    const tried = (seconds: number, status?: number) => ({
      at: at + seconds * 1_000,
      kind: 'event' as const,
      outcome: 'retry',
      durationMs: 5,
      batchSize: 1,
      ...(status === undefined ? {} : { status }),
    });
    await stage.rig.settle(() => ({
      state: 'delivered',
      delivered: ['event'],
      attempts: [tried(1, 503), tried(2, 503), tried(120, 503), tried(121)],
    }));
    const { stdout } = await stage.cli('explain', receipt);
    expect(stdout).toMatch(
      /\+1 s +attempt +ExperienceEvent retry: Adobe answered 503, 5 ms \(and 2 more like it, the last \+2 min\)\n/,
    );
    expect(stdout).toMatch(/\+2 min +attempt +ExperienceEvent retry: no answer, 5 ms\n/);
    expect(stdout).toContain('Adobe took it, 0 ms after it came, with 4 attempts.');
  });

  it('has a word for every end', async () => {
    const malformed = (await stage.rig.webhook('acme', { nothing: true })).body.detail as string;
    const [, receipt = ''] = /kept as (\S+)/.exec(malformed) ?? [];
    expect((await stage.cli('explain', receipt)).stdout).toContain('It is no event of this source');
    const delivered = await stage.post(event('e-1', 11));
    await stage.rig.settle(() => ({ state: 'delivered', delivered: ['event', 'profile'] }));
    const ended = await stage.cli('explain', delivered);
    expect(ended.stdout).toContain(
      'mapped to  ExperienceEvent (taken by Adobe), profile record (taken by Adobe)',
    );
    expect(ended.stdout).toContain('Nothing: Adobe took it.');
  });
});

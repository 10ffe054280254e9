import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { sampleEvent } from '../contract/samples.ts';
import { type AdminCliRig, event, openAdminCliRig, TOKEN } from './admin-cli-rig.ts';
import { cellsOf, run, start } from './command-line.ts';

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

  it('are found by a long event id', async () => {
    const long = 'id'.repeat(50_000);
    const [first, second] = [await rig.post(event(`${long}1`, 11)), await rig.post(event(`${long}2`, 12))];
    const listed = await rig.cli('events', '--event-id', `${long}2`, '--json');
    const { events } = JSON.parse(listed.stdout);
    expect(events).toMatchObject([{ receipt: second }]);
    const explained = await rig.cli('explain', `${long}1`, '--json');
    expect(JSON.parse(explained.stdout)).toMatchObject({ receipt: first });
    const shown = await rig.cli('explain', events[0].eventId);
    expect(shown.stdout).toContain(second);
    expect(await rig.cli('events', 'replay', `${long}1`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it is pending'),
    });
  });

  it('are followed until Ctrl-C', async () => {
    const first = await rig.post(event('e-1', 11));
    const child = start('events', '--follow', '--url', rig.url, '--token', TOKEN);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    expect(await next()).toMatch(/^TIME +RECEIPT +SOURCE +EVENT +CUSTOMER +STATE$/);
    expect(await next()).toMatch(
      new RegExp(`^2026-01-31 08:00:00Z  ${first}  acme +pointsIssued +11 +pending$`),
    );
    const second = await rig.post(event('e-2', 12));
    expect(await next()).toContain(second);
    await rig.relay.settle(({ receipt }) =>
      receipt === first
        ? { state: 'delivered', delivered: ['event'] }
        : { state: 'ignored', reason: 'test-event' },
    );
    const settled = [await next(), await next()].toSorted((a, b) => a.localeCompare(b));
    expect(settled.some((line) => line.includes(first) && line.endsWith('delivered'))).toBe(true);
    expect(settled.some((line) => line.includes(second) && line.endsWith('ignored (test-event)'))).toBe(true);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await rig.cli('events', '--follow', '--until', '2026-01-31')).toMatchObject({ code: 2 });
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
      stdout: expect.stringMatching(/^2 would be replayed\n\nRECEIPT +RECEIVED +SOURCE +EVENT /),
    });
    expect(cellsOf(dry.stdout).filter(([receipt = '']) => receipts.includes(receipt))).toHaveLength(2);
    expect(await cli('replay', receipts[0]!)).toMatchObject({
      code: 0,
      stdout: 'matched 1, replayed 1, duplicates 0, still malformed 0\n',
    });
    for (const selection of [['--all'], [receipts[1]!]])
      expect(await cli('discard', ...selection)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('this needs --yes, because it cannot be undone'),
      });
    expect(await cli('discard', '--all', '--dry-run')).toMatchObject({ code: 0 });
    const discarded = await cli('discard', '--all', '--json', '--yes');
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
    const missing = await rig.cli('dead-letters', 'replay', 'not-there');
    expect(missing.code).toBe(1);
    expect(cellsOf(missing.stdout).slice(-2)).toEqual([
      ['RECEIPT', 'WHY NOT'],
      ['not-there', 'no event has this receipt or event id; retention may have removed it'],
    ]);
    await rig.post({ nothing: true });
    const ended = await rig.cli('dead-letters', 'replay', '--all');
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(
      /^matched 1, replayed 0, duplicates 0, still malformed 1\n\nRECEIPT +WHY NOT\n/,
    );
    expect(ended.stdout).toContain('it is still malformed: not-an-event: there is no eventName');
    const dry = await rig.cli('dead-letters', 'replay', '--all', '--dry-run');
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringMatching(/^0 would be replayed, 1 not\n/) });
    expect(dry.stdout).not.toContain('more');
  });

  it('says how many others are not replayed, of which it lists the first', async () => {
    for (let n = 0; n < 12; n += 1) await rig.post({ nothing: n });
    for (const words of [[], ['--dry-run']]) {
      const { stdout } = await rig.cli('dead-letters', 'replay', '--all', ...words);
      expect(stdout.match(/it is still malformed/g)).toHaveLength(10);
      expect(stdout).toMatch(/\nand 2 more\n$/);
    }
  });

  it('a request in the quarantine is none of them: says so, and lists no replay of nothing', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const [item] = (await rig.relay.journal.listQuarantined({}, { limit: 1 })).items;
    const { receipt } = item!;
    const one = await rig.cli('events', 'replay', receipt);
    expect(one).toMatchObject({ code: 1, stdout: '' });
    expect(one.stderr).toMatch(/^The current state does not allow this: it is in the quarantine, because /);
    const many = await rig.cli('dead-letters', 'replay', receipt);
    expect(many).toMatchObject({ code: 1, stdout: expect.stringContaining('it is in the quarantine') });
    expect((await rig.cli('dead-letters', 'replays')).stdout).toBe('no replays\n');
  });

  it('refuses a filter that cannot match, with the nearest known value', async () => {
    for (const [words, meant] of [
      [['dead-letters', 'list', '--reason', 'rejectd'], 'rejected'],
      [['dead-letters', 'replay', '--reason', 'rejectd'], 'rejected'],
      [['events', '--source', 'acmee'], 'acme'],
      [['events', '--state', 'pendin'], 'pending'],
      [['quarantine', 'release', '--source', 'acmee'], 'acme'],
    ] as const)
      expect(await rig.cli(...words)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`did you mean \`${meant}\`?`),
      });
  });
});

describe('quarantine', () => {
  it('lists, releases what passes now, discards the rest', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const list = await rig.cli('quarantine', 'list');
    const [head, row] = cellsOf(list.stdout);
    expect(head).toEqual([
      'RECEIPT',
      'RECEIVED',
      'SOURCE',
      'FROM',
      'EVENT',
      'BYTES',
      'REASONS',
      'HEADERS (CHARACTERS)',
    ]);
    expect(row?.slice(-2)).toEqual(['header:mismatch', 'x-relay-key (5)']);
    expect(row).toContain('pointsIssued');
    expect(list.stdout).not.toContain('wrong');

    const [receipt = ''] = row ?? [];
    const shown = await rig.cli('quarantine', 'show', receipt);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    for (const text of [
      `${receipt}: in the quarantine\n`,
      'It was answered 401, after which Capillary does not send it again, and was never accepted.',
      'event      pointsIssued, as its body says; nobody has verified it\n',
      'sent from  127.0.0.1\n',
      'expected   secret in the header x-relay-key\n',
      'header:mismatch  the credential is none of the configured values\n',
      'It would still be refused: header:mismatch.\n',
      `capillary-relay quarantine release ${receipt} --url ${rig.url}\n`,
    ])
      expect(shown.stdout).toContain(text);
    expect(shown.stdout).toMatch(/\nx-relay-key +\(5 characters\)\n/);
    expect(shown.stdout).not.toContain('customerIdentifiers');
    const body = await rig.cli('quarantine', 'show', receipt, '--body');
    expect(body.stdout).toContain('"customerIdentifiers"');
    expect(body.stdout).not.toMatch(/wrong/);
    expect((await rig.cli('explain', receipt)).stdout.split('\n').slice(2)).toEqual(
      shown.stdout.split('\n').slice(2),
    );
    expect(JSON.parse((await rig.cli('explain', receipt, '--json')).stdout)).toMatchObject({
      releasable: false,
    });
    expect(await rig.cli('quarantine', 'discard', '--all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    });

    const released = await rig.cli('quarantine', 'release', '--source', 'acme');
    expect(released).toMatchObject({ code: 1, stdout: expect.stringContaining('still refused 1') });
    const discarded = await rig.cli('quarantine', 'discard', '--all', '--yes');
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
      '0 events examined since 2026-01-31 08:00:00Z: no unread fields\n',
    );
    const unread = { mapping: 'own', fields: new Map([['data.outlierStatus', 'NORMAL']]) } as const;
    for (const eventName of ['transactionAdded', 'pointsIssued'])
      rig.relay.coverage.count({ source: 'acme', eventName, replays: 0 }, unread);
    const ended = await rig.cli('coverage', '--event-name', 'transactionAdded');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('1 events examined since 2026-01-31 08:00:00Z\n');
    expect(cellsOf(ended.stdout).slice(-2)).toEqual([
      ['SOURCE', 'EVENT', 'MAPPING', 'UNREAD', 'EXAMINED', 'FIELD', 'EXAMPLE'],
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
    expect(await rig.cli('destinations', 'pause', 'nowhere')).toMatchObject({
      code: 1,
      stderr: 'Not found: no destination has this name; the destinations are: acme-aep, other-aep\n',
    });
  });

  it('a destination that is resumed while it waits is tried now', async () => {
    const answer = {
      name: 'acme-aep',
      state: 'paused',
      reason: 'unauthorized',
      nextTryAt: '2026-01-31T08:00:00.000Z',
      inFlight: 0,
      pending: 1,
      lastAnswers: {},
    };
    const relay = createServer((_request, response) => void response.end(JSON.stringify(answer)));
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
    const { stdout } = await run(['destinations', 'resume', 'acme-aep', '--url', url]);
    relay.close();
    expect(stdout).toMatch(/acme-aep +paused .* trying now +unauthorized\n/);
  });

  it('lists the last answers of the inlet and of IMS below the states', async () => {
    rig.relay.state.lastAnswers = {
      inlet: { at: rig.relay.state.now, status: 401, text: 'Authorization; Ims service token is not valid' },
      ims: { at: rig.relay.state.now, text: 'refused: connect ECONNREFUSED 127.0.0.1:9' },
    };
    const lines = (await rig.cli('destinations', 'list')).stdout.split('\n');
    const first = lines.findIndex((line) => line.includes('LAST ANSWER'));
    expect(lines[first]).toMatch(/^DESTINATION +LAST ANSWER +FROM +STATUS +TEXT$/);
    expect(lines[first + 1]).toMatch(
      /^acme-aep .* inlet +401 +Authorization; Ims service token is not valid$/,
    );
    expect(lines[first + 2]).toMatch(/^acme-aep .* IMS +none +refused: connect ECONNREFUSED/);
  });
});

describe('reload', () => {
  it('prints what has changed and what needs a restart', async () => {
    rig.relay.state.reload = async () => ({
      outcome: 'applied',
      file: '/etc/relay.yaml',
      changed: [
        { path: 'sources[acme].timezone', from: 'UTC', to: 'Asia/Kolkata' },
        { path: 'sources[acme].verify[0].values', secret: true },
        { path: 'sources[second]', to: '{"name":"second"}' },
        { path: 'sources[third]', from: '{"name":"third"}' },
        { path: 'destinations[acme-aep].inletUrl' },
      ],
      needsRestart: ['server.port'],
      warnings: [
        {
          path: 'store.maxBytes',
          message: 'is more than the volume has',
          fix: 'lower it',
          line: 9,
          column: 3,
        },
      ],
    });
    const done = await rig.cli('reload');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout.split('\n')).toEqual([
      'reloaded /etc/relay.yaml: changes: 5',
      '  sources[acme].timezone  UTC → Asia/Kolkata',
      '  sources[acme].verify[0].values  secret changed',
      '  sources[second]  added: {"name":"second"}',
      '  sources[third]  removed: {"name":"third"}',
      '  destinations[acme-aep].inletUrl  changed',
      'changed in the file, but in use only after a restart of the relay:',
      '  server.port',
      '',
      '/etc/relay.yaml:9:3  store.maxBytes',
      '  warning: is more than the volume has',
      '  fix:     lower it',
      '',
    ]);
    rig.relay.state.reload = async () => ({
      outcome: 'unchanged',
      file: '/etc/relay.yaml',
      changed: [],
      needsRestart: [],
      warnings: [],
    });
    expect((await rig.cli('reload')).stdout).toBe('reloaded /etc/relay.yaml: nothing to apply\n');
    expect(JSON.parse((await rig.cli('reload', '--json')).stdout)).toMatchObject({ outcome: 'unchanged' });
  });

  it('prints the problems of a refused configuration as check does, with exit code 2', async () => {
    rig.relay.state.reload = async () => {
      throw new ConfigError('/etc/relay.yaml', [
        { path: 'sources[0].destination', message: 'there is none', fix: 'choose one', line: 3, column: 5 },
      ]);
    };
    const refused = await rig.cli('reload');
    expect(refused).toMatchObject({ code: 2, stderr: '' });
    expect(refused.stdout).toBe(
      '/etc/relay.yaml:3:5  sources[0].destination\n  problem: there is none\n  fix:     choose one\n\n' +
        '/etc/relay.yaml: problems: 1; the relay keeps its current configuration\n',
    );
    const json = await rig.cli('reload', '--json');
    expect(json).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(json.stdout)).toMatchObject({ code: 'invalid-config', problems: [{ line: 3 }] });
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

describe('destinations reroute', () => {
  it('shows what it would move, and moves it with --yes only', async () => {
    await rig.relay.journal.append([
      sampleEvent({ source: 'acme', destination: 'former-aep', receivedAt: rig.relay.state.now }),
    ]);
    const tried = await rig.cli('destinations', 'reroute', '--dry-run');
    expect(tried).toMatchObject({ code: 0, stderr: '' });
    expect(tried.stdout).toMatch(/^1 would be rerouted\n\nSOURCE .*\nacme +former-aep +acme-aep +1\n$/u);
    expect(await rig.cli('destinations', 'reroute')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('this needs --yes'),
    });
    const done = await rig.cli('destinations', 'reroute', '--source', 'acme', '--yes');
    expect(done).toMatchObject({ code: 0, stdout: 'rerouted 1\n' });
    const again = await rig.cli('destinations', 'reroute', '--dry-run');
    expect(again.stdout).toBe('every pending event waits where its source sends now\n');
  });
});

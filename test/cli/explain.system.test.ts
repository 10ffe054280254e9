import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Settlement } from '../../src/journal/journal.ts';
import { sampleAttempt } from '../contract/samples.ts';
import { source } from '../admin/admin-rig.ts';
import { type AdminCliRig, TOKEN, event, openAdminCliRig } from './admin-cli-rig.ts';
import { run } from './command-line.ts';

let rig: AdminCliRig;

beforeEach(async () => {
  rig = await openAdminCliRig();
});

afterEach(() => rig.relay.close());

describe('explain', () => {
  const rejected: Partial<Settlement> = {
    attempts: [
      sampleAttempt(
        {
          outcome: 'rejected',
          itemStatus: 400,
          detail: '400 no such field',
          xactionId: '1565638336649:1750:244',
        },
        { at: Date.UTC(2026, 0, 31, 8, 0, 1), status: 207, durationMs: 12, batchSize: 3 },
      ),
    ],
  };

  it("shows what was read from Capillary's API, and that a refresh waits and runs", async () => {
    const receipt = await rig.post(event('e-1', 11));
    const calls = [{ call: 'GET /v2/customers/{id}', requestId: 'cap-1', status: 200 }];
    const customer = { kind: 'no-loyalty', at: Date.UTC(2026, 0, 31, 8, 0, 3), calls };
    const missing = { customer: false, bill: true, dueIn: 0 };
    await rig.relay.settle(() => ({
      state: 'delivered',
      delivered: ['event'],
      enrichment: { entities: JSON.stringify({ customer }), missing },
    }));
    const waiting = await rig.cli('explain', receipt);

    expect(waiting.stdout).toMatch(
      /From Capillary's API\ncustomer {3}read 2026-01-31 08:00:03Z, .*; in no loyalty program\n {2}contains nothing\n {2}GET \/v2\/customers\/\{id\}: answered 200, X-CAP-REQUEST-ID cap-1\nmissing {4}the lines of the bill\. A refresh waits/,
    );

    await rig.relay.journal.refresh({ routes: [{ source: 'acme', destination: 'acme-aep' }], running: 1 });
    const running = await rig.cli('explain', receipt);
    expect(running.stdout).toContain(
      "It was sent and is being completed: what it lacked is read from Capillary's API.",
    );
    expect(running.stdout).toContain('A refresh is running.');
  });

  it('shows a dead letter from its receipt to the next steps, by receipt and by event id', async () => {
    const receipt = await rig.post(event('e-1', 11));
    await rig.relay.settle(() => ({
      ...rejected,
      state: 'dead',
      reason: 'rejected',
      detail: '400 no such field',
      sent: [{ kind: 'event', json: '{"header":{},"body":{"xdmEntity":{}}}' }],
      notes: [{ path: 'data.currencyCode', code: 'wrong-pattern' }],
    }));
    const ended = await rig.cli('explain', receipt);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const order = [
      `${receipt}: dead (rejected)\nIt was moved to dead letters 0 ms after it was received, after 1 attempt. Adobe has none of its messages.\n`,
      'event      pointsIssued, e-1, org 100737, created 2026-01-01 00:00:00Z',
      'route      acme to acme-aep',
      'customer   11',
      ', by which the relay finds duplicates\n',
      'mapped to  ExperienceEvent',
      'received  from acme,',
      'verified  secret in the header x-relay-key',
      'ExperienceEvent rejected: Adobe answered 400, xaction 1565638336649:1750:244, 12 ms, batch of 3: 400 no such field',
      'Left out or changed: 1',
      'KIND     PATH               CODE           REASON',
      'dropped  data.currencyCode  wrong-pattern  the value does not match the pattern',
      'What to do next',
      `Payload and sent messages: capillary-relay explain ${receipt} --body --url ${rig.url}\n`,
      `Similar dead letters: capillary-relay dead-letters list --source acme --reason rejected --url ${rig.url}\n`,
      `Replay: capillary-relay dead-letters replay ${receipt} --url ${rig.url}\n`,
    ];
    const places = order.map((text) => ended.stdout.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(ended.stdout).not.toContain('customerIdentifiers');

    const byId = await rig.cli('explain', 'e-1', '--body');
    expect(byId.stdout).toContain('"customerIdentifiers"');
    expect(JSON.parse((await rig.cli('explain', 'e-1', '--json')).stdout)).toMatchObject({ receipt });
  });

  it('explains why a pending event waits', async () => {
    const receipt = await rig.post(event('e-1', 11));
    await rig.cli('destinations', 'pause', 'acme-aep');
    const ended = await rig.cli('explain', receipt);
    expect(ended.stdout).toContain('It waits because the destination acme-aep is paused (operator).');
    expect(ended.stdout).toContain('capillary-relay destinations resume acme-aep');
  });

  it('the suggested commands can be run as printed', async () => {
    const receipt = await rig.post(event('e-1', 11));
    await rig.relay.moveToDeadLetters();
    const { stdout } = await rig.cli('explain', receipt);
    const commands = [
      ...stdout.matchAll(
        /^(?:Payload and sent messages|Similar dead letters|Replay): capillary-relay (.*)$/gm,
      ),
    ].map(([, words = '']) => words.split(' '));
    expect(commands).toHaveLength(3);
    for (const words of commands)
      expect(await run(words, { env: { RELAY_ADMIN_TOKEN: TOKEN } })).toMatchObject({ code: 0, stderr: '' });
    const pending = await rig.cli('explain', receipt);
    expect(pending.stdout).toMatch(
      /\nIt was replayed and waits to be sent again\. It was received .* ago, with no attempts so far\./,
    );
    const [, pendingList = ''] =
      /^Pending for this customer: capillary-relay (.*)$/m.exec(pending.stdout) ?? [];
    const listed = await run(pendingList.split(' '), { env: { RELAY_ADMIN_TOKEN: TOKEN } });
    expect(listed.stdout).toContain(receipt);
  });

  it('attempts with the same result are shown once, with their number and the last time', async () => {
    const receipt = await rig.post(event('e-1', 11));
    const at = Date.UTC(2026, 0, 31, 8);
    const tried = (seconds: number, status?: number) =>
      sampleAttempt(
        { outcome: 'retry', detail: undefined },
        { at: at + seconds * 1_000, status, durationMs: 5, batchSize: 1 },
      );
    await rig.relay.settle(() => ({
      state: 'delivered',
      delivered: ['event'],
      attempts: [tried(1, 503), tried(2, 503), tried(120, 503), tried(121)],
    }));
    const { stdout } = await rig.cli('explain', receipt);
    expect(stdout).toMatch(
      /\+1 s +attempt +ExperienceEvent failed, to be sent again: Adobe answered 503, 5 ms \(and 2 more with this result, the last at \+2 min\)\n/,
    );
    expect(stdout).toMatch(/\+2 min +attempt +ExperienceEvent failed, to be sent again: no answer, 5 ms\n/);
    expect(stdout).toContain('Adobe accepted it 0 ms after it was received, in 4 attempts.');
  });

  it('counts what was sent: two messages of one event are no retry', async () => {
    const sent = (kind: 'event' | 'profile', outcome: string) =>
      sampleAttempt(
        { outcome, detail: undefined },
        {
          at: Date.UTC(2026, 0, 31, 8),
          kind,
          status: outcome === 'delivered' ? 200 : 503,
          durationMs: 5,
          batchSize: 1,
        },
      );
    const once = await rig.post(event('e-1', 11));
    await rig.relay.settle(() => ({
      state: 'delivered',
      delivered: ['event', 'profile'],
      attempts: [sent('event', 'delivered'), sent('profile', 'delivered')],
    }));
    expect((await rig.cli('explain', once)).stdout).toContain(
      'Adobe accepted it 0 ms after it was received; 2 messages, each sent once.',
    );
    const again = await rig.post(event('e-2', 12));
    await rig.relay.settle(() => ({
      state: 'delivered',
      delivered: ['event', 'profile'],
      attempts: [sent('event', 'destination'), sent('event', 'delivered'), sent('profile', 'delivered')],
    }));
    const { stdout } = await rig.cli('explain', again);
    expect(stdout).toContain('; requests: ExperienceEvent 2, profile record 1.');
    expect(stdout).toContain(
      'ExperienceEvent held, because the cause is the destination and not this event: Adobe answered 503',
    );
  });

  it('says how to let a quarantined request pass: the key, the reload, the release', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const { quarantined } = JSON.parse((await rig.cli('quarantine', 'list', '--json')).stdout) as {
      quarantined: readonly { readonly receipt: string }[];
    };
    const receipt = quarantined[0]?.receipt ?? '';
    const { stdout } = await rig.cli('explain', receipt);
    expect(stdout).toContain(
      '  sources[acme].verify[0].values: add the secret, next to the old one, that the sender uses now\n',
    );
    expect(stdout).toContain(`After an edit of the file: capillary-relay reload --url ${rig.url}\n`);
    expect(stdout).toContain(`capillary-relay quarantine release --source acme --dry-run --url ${rig.url}\n`);
    expect(stdout).toContain(
      `Release this one: capillary-relay quarantine release ${receipt} --url ${rig.url}\n`,
    );
    expect((await rig.cli('quarantine', 'show', receipt)).stdout).toBe(stdout);
    rig.relay.sources.set([
      source('acme', {
        verify: [
          { type: 'header', name: 'X-Other', values: ['k'] },
          { type: 'bearer', tokens: ['t'] },
        ],
      }),
    ]);
    const other = (await rig.cli('explain', receipt)).stdout;
    expect(other).toContain('  sources[acme].verify[0].name: compare it with the headers that came\n');
    expect(other).toContain('  sources[acme].verify[1]: compare it with how the sender is configured\n');
    rig.relay.sources.set([source('acme', { allowFrom: ['192.0.2.0/24'] })]);
    expect((await rig.cli('explain', receipt)).stdout).toContain(
      '  sources[acme].allowFrom: add the address of the sender\n',
    );
  });

  it('shows duplicates with other data, and what to do about them', async () => {
    const receipt = await rig.post(event('e-1', 11));
    expect((await rig.cli('explain', receipt)).stdout).not.toContain('other data');
    await rig.post(event('e-1', 11, { data: { customerIdentifiers: { customerId: 11 }, points: 7 } }));
    const ended = await rig.cli('explain', receipt);
    expect(ended.stdout).toContain(
      'differing  1 duplicate with this id but other data, the last 2026-01-31 08:00:00Z; not delivered\n',
    );
    expect(ended.stdout).toContain(
      'Fix the sender, which must give each event an eventId of its own or none.',
    );
  });

  it('says what would be sent of an event that is ignored', async () => {
    const ignored = await rig.post(event('e-1', 11, { eventName: 'somethingNew' }));
    await rig.relay.settle(() => ({ state: 'ignored', reason: 'no-identity' }));
    const { stdout } = await rig.cli('explain', ignored);
    expect(stdout).toContain('; if the event were sent, its data would be text below the tenant\n');
    expect(stdout).not.toContain('its data is sent');
  });

  it('finds a refused request by the event id in it', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    const found = await rig.cli('explain', 'e-1');
    expect(found).toMatchObject({ code: 0, stdout: expect.stringContaining(': in the quarantine') });
    const { stderr } = await rig.cli('explain', 'e-2');
    expect(stderr).toContain('only the newest in the quarantine are searched for an event id');
    const { stderr: ofReceipt } = await rig.cli('explain', '0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01');
    expect(ofReceipt).not.toContain('are searched');
  });

  it('says how a name without a mapping of its own is mapped', async () => {
    const own = await rig.post(event('e-1', 11));
    expect((await rig.cli('explain', own)).stdout).not.toMatch(/^mapping /m);
    const unknown = await rig.post(event('e-2', 12, { eventName: 'somethingNew' }));
    const line = async () => /^mapping +(.*)$/m.exec((await rig.cli('explain', unknown)).stdout)?.[1];
    expect(await line()).toBe(
      'generic: the relay has no mapping for this name, so its data is sent as text below the tenant',
    );
    rig.relay.sources.set([source('acme', { unmapped: 'ignore' })]);
    expect(await line()).toContain('none: the relay has no mapping for this name, and the source ignores');
    rig.relay.sources.set([source('acme', { overrides: { somethingNew: { event: '$$' } } })]);
    expect(await line()).toContain('override: an expression of the source');
  });

  it('shows the history of a request that was released from the quarantine, and of one that is gone', async () => {
    await rig.relay.webhook('acme', event('e-1', 11), { 'x-relay-key': 'wrong' });
    await rig.relay.webhook('acme', event('e-2', 12), { 'x-relay-key': 'other' });
    const { quarantined } = (
      await rig.relay.get('/admin/v1/quarantine', {
        headers: { authorization: `Bearer ${TOKEN}` },
      })
    ).body;
    const [gone = '', released = ''] = quarantined.map(({ receipt }: { receipt: string }) => receipt);
    rig.relay.sources.set([source('acme', { verify: [{ type: 'none' }] })]);
    expect((await rig.cli('explain', released)).stdout).toContain(
      `The source accepts it now. Release it: capillary-relay quarantine release ${released}`,
    );
    expect(await rig.cli('quarantine', 'release', released)).toMatchObject({ code: 0 });
    const { stdout } = await rig.cli('explain', released);
    expect(stdout).toContain(`${released}: pending\n`);
    expect(stdout).toMatch(/action +released from quarantine by admin/);
    await rig.cli('quarantine', 'discard', gone, '--yes');
    expect(await rig.cli('explain', gone)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/As a receipt it is from 20.*: retention, a discard or the limits/),
    });
  });

  it('explains every other final state', async () => {
    const malformed = (await rig.relay.webhook('acme', { nothing: true })).body.detail as string;
    const [, receipt = ''] = /kept as (\S+)/.exec(malformed) ?? [];
    const explainedMalformed = (await rig.cli('explain', receipt)).stdout;
    expect(explainedMalformed).toContain('What is wrong: not-an-event: there is no eventName');
    expect(explainedMalformed).toContain('It is JSON, but not an event that this version can read.');
    const text = '{"eventName": Odile\u202e}';
    const noJson = (await rig.relay.webhook('acme', text)).body.detail as string;
    const [, unread = ''] = /kept as (\S+)/.exec(noJson) ?? [];
    const shown = (await rig.cli('explain', unread, '--body')).stdout;
    expect(shown).toContain('What is wrong: not-json: syntax error\n');
    expect(shown).toContain('Body, which is not JSON:\n{"eventName": Odile\\u202e}\n');
    expect(shown).not.toContain('dead-letters replay');
    const bytes = (await rig.relay.webhook('acme', Buffer.from([0, 1, 2]))).body.detail as string;
    const [, binary = ''] = /kept as (\S+)/.exec(bytes) ?? [];
    expect((await rig.cli('explain', binary, '--body')).stdout).toContain('"bodyBase64": "AAEC"');
    const tooLarge = (await rig.relay.webhook('acme', 'x'.repeat(1_048_577))).body.detail as string;
    const [, truncated = ''] = /kept as (\S+)/.exec(tooLarge) ?? [];
    const explained = await rig.cli('explain', truncated);
    expect(explained.stdout).toContain('SHA-256 of the whole body');
    expect(explained.stdout).toContain('Only the beginning of its body is stored, so it cannot be replayed.');
    expect(explained.stdout).not.toContain('dead-letters replay');
    const delivered = await rig.post(event('e-1', 11));
    await rig.relay.settle(() => ({ state: 'delivered', delivered: ['event', 'profile'] }));
    const ended = await rig.cli('explain', delivered);
    expect(ended.stdout).toContain(
      'mapped to  ExperienceEvent (accepted by Adobe), profile record (accepted by Adobe)',
    );
    expect(ended.stdout).toContain('Nothing: Adobe accepted it.');
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { toNewEvent } from '../../src/intake/accept.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { append } from '../contract/samples.ts';
import { type RelayConfig, relayConfig } from '../helpers/relay-process.ts';
import { openAdminCliRig, TOKEN } from './admin-cli-rig.ts';
import { run } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-diff-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const targets = {
  imsUrl: 'http://127.0.0.1:1/ims/token/v3',
  inletUrl: 'http://127.0.0.1:1/collection/abc',
};

function configured(change: (config: RelayConfig) => void = () => undefined): RelayConfig {
  const config = relayConfig(targets);
  config.store['path'] = join(folder, 'no-store');
  change(config);
  return config;
}
function configure(name: string, change?: (config: RelayConfig) => void): string {
  return write(name, stringify(configured(change)));
}

function bill(eventId: string, customerId = 11) {
  return {
    eventName: 'transactionAdded',
    eventId,
    orgId: 100458,
    createdAt: 1_790_848_801_774,
    data: { customerIdentifiers: { customerId }, amount: 41.25, billNumber: 'B-1', billType: 'REGULAR' },
  };
}
function points(eventId: string) {
  return {
    eventName: 'pointsIssued',
    eventId,
    orgId: 100458,
    createdAt: 1_790_848_801_774,
    data: { customerIdentifiers: { customerId: 11 }, loyaltyProgramId: 973, programCurrentPoints: 12 },
  };
}
const coupon = { ...bill('e-9'), eventName: 'labelCreated' };

function overridden({ sources: [source], destinations: [destination] }: RelayConfig): void {
  source!['overrides'] = {
    transactionAdded: {
      event:
        '{"commerce": {"order": {"purchaseID": "changed", "priceTotal": null}}, "_acme": {"basket": [1, 2]}}',
    },
  };
  source!['unmapped'] = 'ignore';
  Object.assign(destination!['events'] as object, { datasetId: 'other-dataset' });
}

describe('map --diff', () => {
  const old = configure('old.yaml');
  const next = configure('new.yaml', overridden);

  it('shows what is added, removed and changed for each event, and how often', async () => {
    const files = [
      write('bills.json', JSON.stringify([bill('e-1'), bill('e-2')])),
      write('c.json', JSON.stringify(coupon)),
    ];
    const ended = await run(['map', '--diff', old, next, ...files]);

    expect(ended).toMatchObject({ code: 1, stderr: '' });
    const [first] = ended.stdout.split('\n\n');
    expect(first!.split('\n')).toEqual([
      '--- 1  transactionAdded  e-1',
      '~ event header.datasetId: "events-dataset" → "other-dataset"',
      '~ event commerce.order.purchaseID: "B-1" → "changed"',
      '- event commerce.order.priceTotal',
      '+ event _acme.basket: [1,2]',
    ]);
    expect(ended.stdout).toContain('~ outcome: sent (event) → ignored (unmapped)');
    expect(ended.stdout).toMatch(/^transactionAdded +event commerce\.order\.priceTotal +0 +2 +0$/m);
    expect(ended.stdout).toMatch(/^labelCreated +outcome +0 +0 +1$/m);
    expect(ended.stdout).toMatch(/Compared: 3, different: 3\n$/);
  });

  it('exits with 0 and says so when nothing differs', async () => {
    const file = write('same.ndjson', `${JSON.stringify(bill('e-1'))}\n${JSON.stringify({ no: 'event' })}`);
    expect(await run(['map', '--diff', old, old, file])).toEqual({
      code: 0,
      stderr: '',
      stdout: 'Compared: 2, different: 0 (1 not an event under either)\n',
    });
  });

  it('gives one JSON document', async () => {
    const profileless = configure('profileless.yaml', ({ destinations: [destination] }) => {
      delete destination!['profile'];
    });
    const file = write('points.json', JSON.stringify([bill('e-1'), points('e-2')]));
    const ended = await run(['map', '--diff', old, profileless, file, '--json']);

    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toEqual({
      compared: 2,
      different: 1,
      noEvents: 0,
      withoutPayload: 0,
      summary: [{ eventName: 'pointsIssued', part: 'outcome', path: '', added: 0, removed: 0, changed: 1 }],
      events: [
        {
          number: 2,
          eventName: 'pointsIssued',
          eventId: 'e-2',
          isNoEvent: false,
          changes: [{ part: 'outcome', path: '', old: 'sent (event, profile)', new: 'sent (event)' }],
        },
      ],
    });
  });

  it('reports a failing override, and another inlet, sandbox, schema and flow', async () => {
    const failing = configure('failing.yaml', ({ sources: [source] }) => {
      source!['overrides'] = { transactionAdded: { event: '$error("no")' } };
    });
    const moved = configure('moved.yaml', ({ destinations: [destination] }) => {
      const events = {
        schemaId: 'https://ns.adobe.com/acme/schemas/2',
        datasetId: 'events-dataset',
        flowId: 'f2',
      };
      Object.assign(destination!, { sandbox: 'dev', inletUrl: `${targets.inletUrl}d`, events });
    });
    const file = write('bill.json', JSON.stringify(bill('e-1')));
    const [broken, elsewhere] = await Promise.all([
      run(['map', '--diff', old, failing, file]),
      run(['map', '--diff', old, moved, file]),
    ]);

    expect(broken.code).toBe(1);
    expect(broken.stdout).toMatch(
      /→ dead letter \(mapping\): source acme, .* JSONata code D3137 at character 7$/m,
    );
    expect(elsewhere.stdout.match(/event header\.\S+(?=: )/g)).toEqual([
      'event header.inletUrl',
      'event header.sandbox',
      'event header.schemaRef.id',
      'event header.flowId',
    ]);
  });

  it.each([
    ['a configuration alone', ['--diff', old]],
    ['no events', ['--diff', old, next]],
    ['files and the journal', ['--diff', old, next, 'events.json', '--from-journal']],
    ['a file that does not exist', ['--diff', old, next, join(folder, 'none.json')]],
    ['an invalid configuration', ['--diff', old, write('bad.yaml', 'sources: 7'), '-']],
    ['a third configuration', ['--diff', old, next, '-', '--config', old]],
    ['times without the journal', ['--diff', old, next, '-', '--since', '1d']],
    ['the journal without a comparison', [old, '--from-journal']],
    [
      'a relay that is neither running nor has a store',
      ['--diff', old, next, '--from-journal', '--url', 'http://127.0.0.1:1'],
    ],
  ])('exits with 2 for %s', async (_what, words) => {
    const ended = await run(['map', ...words]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).not.toMatch(/\n {4}at /);
  });
});

describe('map --diff --from-journal', () => {
  const key = Buffer.alloc(32, 7).toString('base64');

  const ofStore =
    (path: string, more: (config: RelayConfig) => void = () => undefined) =>
    (config: RelayConfig): void => {
      Object.assign(config.store, { path, encryptionKeys: [key] });
      config.sources.push({ ...config.sources[0], name: 'beta', timezone: 'Asia/Kolkata' });
      more(config);
    };

  it('compares the newest events of a stopped relay, each of its own source', async () => {
    const path = join(folder, 'stopped');
    const { sources } = configSchema.parse(configured(ofStore(path)));
    const journal = await openSqliteJournal({ path, encryptionKeys: [key] });
    const accept = async (event: object, at: number, receivedAt: number): Promise<string> => {
      const body = Buffer.from(JSON.stringify(event));
      const parsed = parseEvent(body, {});
      if (!parsed.ok) throw new Error(parsed.detail);
      const request = { body, receivedAt, verifiedBy: 'test' };
      return (await append(journal, toNewEvent(parsed.event, sources[at]!, request))).receipt;
    };
    const early = Date.UTC(2026, 9, 2);
    const receipts = [
      await accept(bill('e-1'), 0, early),
      await accept(bill('e-2', 12), 1, early + 1_000),
      await accept({ ...bill('e-3'), eventName: 'tierUpgraded' }, 0, early + 2_000),
    ];
    await journal.close();

    const old = configure('stopped-old.yaml', ofStore(path));
    const next = configure(
      'stopped-new.yaml',
      ofStore(path, ({ sources: all }) => {
        all[1]!['overrides'] = { transactionAdded: { event: '{"_acme": {"at": $now()}}' } };
      }),
    );
    const all = await run(['map', '--diff', old, next, '--from-journal', '--since', '2026-10-01', '--json']);
    const ofAcme = await run(['map', '--diff', old, next, '--from-journal', '--source', 'acme']);
    const newest = await run(['map', '--diff', old, next, '--from-journal', '--limit', '1']);
    const wrong = await run(['map', '--diff', old, next, '--from-journal', '--since', 'monday']);

    expect(all.code).toBe(1);
    expect(JSON.parse(all.stdout)).toMatchObject({
      compared: 3,
      events: [
        {
          source: 'beta',
          receipt: receipts[1],
          // Mapped with its original time of receipt.
          changes: [{ part: 'event', path: '_acme.at', new: '2026-10-02T00:00:01.000Z' }],
        },
      ],
    });
    expect(ofAcme).toMatchObject({ code: 0, stdout: 'Compared: 2, different: 0\n' });
    expect(newest).toMatchObject({ code: 0, stdout: 'Compared: 1, different: 0\n' });
    expect(readdirSync(path)).toEqual(['.relay-store', 'intake-0.log', 'intake-1.log', 'relay.db']);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--since must be a time such as'),
    });
  });

  it('asks a running relay, which locks its store', async () => {
    const rig = await openAdminCliRig();
    try {
      const receipt = await rig.post({ ...bill('e-1'), orgId: 100737 });
      await rig.post({ ...bill('e-2'), orgId: 100737 });
      await rig.post({ nothing: true });
      const ofRig = (config: RelayConfig): void => {
        config.store['path'] = rig.relay.storePath;
        config.admin = { host: '127.0.0.1', port: Number(new URL(rig.url).port), token: TOKEN };
      };
      const old = configure('live-old.yaml', ofRig);
      const next = configure('live-new.yaml', (config) => {
        ofRig(config);
        overridden(config);
      });
      const ended = await run(['map', '--diff', old, next, '--from-journal', '--json']);

      expect(ended).toMatchObject({ code: 1, stderr: '' });
      const { compared, events } = JSON.parse(ended.stdout);
      expect(compared).toBe(2);
      expect(events[0]).toMatchObject({ receipt, source: 'acme', eventId: 'e-1' });
      expect(events[0].changes.map(({ path }: { path: string }) => path)).toContain(
        'commerce.order.purchaseID',
      );
      // The relay continues as before.
      expect(await rig.post({ ...bill('e-3'), orgId: 100737 })).toMatch(/\w/);
    } finally {
      await rig.relay.close();
    }
  });
});

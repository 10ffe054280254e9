import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type RelayConfig, relayConfig } from '../helpers/relay-process.ts';
import { openAdminCliRig, TOKEN } from './admin-cli-rig.ts';
import { run } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

function configure(name: string, change: (config: RelayConfig) => void = () => undefined): string {
  const config = relayConfig({
    imsUrl: 'http://127.0.0.1:1/ims/token/v3',
    inletUrl: 'http://127.0.0.1:1/collection/abc',
  });
  config.store['path'] = join(folder, 'no-store');
  change(config);
  return write(name, stringify(config));
}

const config = configure('relay.yaml');

function bill(eventId: string, more: object = {}) {
  return {
    eventName: 'transactionAdded',
    eventId,
    orgId: 100458,
    createdAt: 1_790_848_801_774,
    data: { customerIdentifiers: { customerId: 11 }, amount: 41.25, billNumber: 'B-1', ...more },
  };
}

type Line = Record<string, any>;
function linesOf(text: string): Line[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
function ndjson(lines: readonly object[]): string {
  return lines.map((line) => JSON.stringify(line)).join('\n');
}

/** The lines as version 0.2.0 wrote them: the event is not among them. */
function asVersion020(lines: readonly Line[]): Line[] {
  const added = ['version', 'source', 'receivedAt', 'body', 'unread'];
  return lines.map((line) =>
    Object.fromEntries(Object.entries(line).filter(([key]) => !added.includes(key))),
  );
}

async function mapped(file: string, ...more: string[]): Promise<Line[]> {
  const ended = await run(['map', file, '--config', config, '--json', ...more]);
  return linesOf(ended.stdout);
}

describe('map --json', () => {
  it('writes with each result the event, its source, the time of receipt and the version', async () => {
    const text = JSON.stringify(bill('e-1'));
    const [record] = await mapped(write('one.json', text));
    expect(record).toMatchObject({ outcome: 'messages', source: 'acme', body: text });
    expect(record!['version']).toMatch(/^\d+\.\d+\.\d+/);
    expect(Date.now() - Date.parse(record!['receivedAt'])).toBeLessThan(120_000);
  });

  it('writes a body that is not UTF-8 as base64, and reads it back', async () => {
    const bytes = Buffer.from(JSON.stringify(bill('e-1', { notes: 'caf\u00e9' })), 'latin1');
    const records = await mapped(write('latin.json', bytes));
    expect(Buffer.from(records[0]!['bodyBase64'], 'base64').equals(bytes)).toBe(true);
    expect(records[0]).not.toHaveProperty('body');
    const before = write('latin.ndjson', ndjson(records));
    expect(await run(['map', '--compare', before, '--config', config])).toMatchObject({ code: 0 });
  });
});

describe('map --compare', () => {
  it('finds no difference in what the same version wrote, without the files', async () => {
    // The time of the second is the time of receipt, that of the third does not exist.
    const events = [bill('e-1'), { ...bill('e-2'), createdAt: null }, { no: 'event' }];
    const before = write('same.ndjson', ndjson(await mapped(write('same.json', ndjson(events)))));
    expect(await run(['map', '--compare', before, '--config', config])).toEqual({
      code: 0,
      stderr: '',
      stdout: 'Compared: 3, different: 0 (1 not an event under either)\n',
    });
  });

  it('shows what this version adds, removes and changes, for each event name and path', async () => {
    const events = write('some.json', ndjson([bill('e-1'), { ...bill('e-2'), eventName: 'labelCreated' }]));
    const [first, second] = await mapped(events);
    // What another version might have written.
    first!['event'].commerce.order.priceTotal = 7;
    first!['event']._acme.gone = true;
    delete first!['event'].eventType;
    const ignored = { ...second, outcome: 'ignored', reason: 'unmapped' };
    const before = write('other.ndjson', ndjson([first!, ignored]));

    const text = await run(['map', '--compare', before, '--config', config]);
    const json = await run(['map', '--compare', before, '--config', config, '--json']);

    expect(text).toMatchObject({ code: 1, stderr: '' });
    expect(text.stdout.split('\n\n')[0]!.split('\n')).toEqual([
      '--- 1  transactionAdded  e-1',
      '~ event commerce.order.priceTotal: 7 → 41.25',
      '- event _acme.gone',
      '+ event eventType: "commerce.purchases"',
    ]);
    expect(text.stdout).toContain('~ outcome: ignored (unmapped) → sent (event)');
    expect(text.stdout).toMatch(/^transactionAdded +event eventType +1 +0 +0$/m);
    expect(text.stdout).toMatch(/^labelCreated +outcome +0 +0 +1$/m);
    expect(JSON.parse(json.stdout)).toMatchObject({ compared: 2, different: 2 });
  });

  it('reads what version 0.2.0 wrote, if it is given the events as well', async () => {
    const events = write('old.json', ndjson([bill('e-1'), bill('e-2')]));
    const lines = asVersion020(await mapped(events));
    const before = write('old.ndjson', ndjson(lines));
    const same = await run(['map', events, '--compare', before, '--config', config]);
    const alone = await run(['map', '--compare', before, '--config', config]);

    expect(same).toEqual({ code: 0, stderr: '', stdout: 'Compared: 2, different: 0\n' });
    expect(alone).toMatchObject({ code: 2, stdout: '' });
    expect(alone.stderr).toContain('does not contain the events, because version 0.2.0 wrote it');
  });

  it('refuses events that the records were not made from', async () => {
    const before = write(
      'two.ndjson',
      ndjson(await mapped(write('two.json', ndjson([bill('1'), bill('2')])))),
    );
    const fewer = write('fewer.json', JSON.stringify(bill('1')));
    const others = write('others.json', ndjson([bill('1'), bill('3')]));
    expect(await run(['map', fewer, '--compare', before, '--config', config])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has 2 records, but there are 1 events'),
    });
    expect(await run(['map', others, '--compare', before, '--config', config])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('record 2 was made from another event'),
    });
  });

  it('refuses a file that is not records, with the line', async () => {
    const events = write('events.ndjson', `\n${JSON.stringify(bill('1'))}\n`);
    expect(await run(['map', '--compare', events])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('line 2 is not a record of map --json'),
    });
  });

  it('refuses a source that the configuration does not have', async () => {
    const before = write('acme.ndjson', ndjson(await mapped(write('acme.json', JSON.stringify(bill('1'))))));
    expect(await run(['map', '--compare', before])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no such source: acme; configured: sample'),
    });
  });

  it.each([
    ['no events', []],
    ['two comparisons', ['--diff', config, config, 'a.json', '--compare', 'b.ndjson']],
    ['records and the journal', ['--compare', 'b.ndjson', '--from-journal']],
    ['files and the journal', ['a.json', '--from-journal', '--config', config]],
    ['the journal of no configuration', ['--from-journal']],
    ['times without the journal', ['a.json', '--since', '1d']],
  ])('exits with 2 for %s', async (_what, words) => {
    const ended = await run(['map', ...words]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).not.toMatch(/\n {4}at /);
  });
});

describe('map --from-journal --json', () => {
  it('records the events of a running relay, which another version compares', async () => {
    const rig = await openAdminCliRig();
    try {
      const receipt = await rig.post({ ...bill('e-1'), orgId: 100737 });
      await rig.post({ ...bill('e-2'), orgId: 100737, createdAt: null });
      const live = configure('live.yaml', ({ store, admin }) => {
        store['path'] = rig.relay.storePath;
        Object.assign(admin, { host: '127.0.0.1', port: Number(new URL(rig.url).port), token: TOKEN });
      });
      const env = { RELAY_CONFIG: live };
      const recorded = await run(['map', '--from-journal', '--json', '--limit', '10'], { env });
      expect(recorded).toMatchObject({ code: 0, stderr: '' });
      const lines = linesOf(recorded.stdout);
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatchObject({ receipt, source: 'acme', eventId: 'e-1', orgId: 100737 });

      const before = write('live.ndjson', recorded.stdout);
      const same = await run(['map', '--compare', before, '--config', live]);
      lines[0]!['event'].eventType = 'other';
      const other = write('live-other.ndjson', ndjson(lines));
      const differs = await run(['map', '--compare', other, '--config', live]);
      expect(same).toMatchObject({ code: 0, stdout: 'Compared: 2, different: 0\n' });
      expect(differs.code).toBe(1);
      expect(differs.stdout).toContain(`--- 1  transactionAdded  e-1  acme  ${receipt}`);
    } finally {
      await rig.relay.close();
    }
  });
});

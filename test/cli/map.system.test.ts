import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { relayConfig } from '../helpers/relay-process.ts';
import { run } from './command-line.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-map-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

function event(more: object = {}, data: object = {}) {
  return {
    eventName: 'customerAdded',
    eventId: 'e-1',
    orgId: 100458,
    createdAt: 1_790_848_801_774,
    data: { customerIdentifiers: { customerId: 387450112, instore: {} }, firstName: 'Amara', ...data },
    ...more,
  };
}

const group = event({ eventName: 'groupCreated', eventId: 'e-2', data: { groupName: 'Quill' } });

function jsonLines(text: string) {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, any>);
}

describe('map', () => {
  it('shows what is sent and that nothing was left out, without a configuration', async () => {
    const file = await write('one.json', JSON.stringify(event(), undefined, 2));
    const ended = await run(['map', file]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/ExperienceEvent \(\d+ bytes\)\n\{\n {2}"_id": "cap-[0-9a-f]{40}"/);
    expect(ended.stdout).toContain('"_acme"');
    expect(ended.stdout).toMatch(/Profile record \(\d+ bytes\)\n\{/);
    expect(ended.stdout).toContain('Nothing was left out or changed.');
  });

  it('lists the fields that no mapping reads, unless they are sent as text', async () => {
    const events = [
      event({}, { favouriteTea: 'assam', nested: [{ a: 1 }] }),
      event({ eventName: 'newName', eventId: 'e-2' }, { favouriteTea: 'assam' }),
    ];
    const text = await run(['map', '-'], { input: JSON.stringify(events) });
    const json = await run(['map', '--json', '-'], { input: JSON.stringify(events) });

    expect(text.stdout).toContain(
      'Not read by any mapping: 2\n  data.favouriteTea\n  data.nested[].a\n\n--- 2',
    );
    expect(jsonLines(json.stdout).map(({ unread }) => unread as string[])).toEqual([
      ['data.favouriteTea', 'data.nested[].a'],
      [],
    ]);
  });

  it('says that an event states no time', async () => {
    const ended = await run(['map', '-'], { input: JSON.stringify(event({ createdAt: null })) });
    expect(ended.stdout).toMatch(/repaired {2}timestamp {2}no-event-time {2}the event states no time/);
  });

  it('explains a known event name, and says that another is unknown', async () => {
    const events = [event(), event({ eventName: 'CustomerAdded' })];
    const ended = await run(['map', '-'], { input: JSON.stringify(events) });
    expect(ended.stdout).toMatch(/--- 1 {2}customerAdded {2}e-1 {2}customer: A customer was registered\.\n/);
    expect(ended.stdout).toMatch(/--- 2 {2}CustomerAdded {2}e-1 {2}unknown: .*no such event name\n/);
  });

  it('shows what was left out and why', async () => {
    const input = JSON.stringify(
      event(
        {},
        { enteredAt: 'soon', customerIdentifiers: { customerId: 7, instore: { mobile: 'no phone' } } },
      ),
    );
    const ended = await run(['map', '-'], { input });
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/Left out or changed: \d+\nKIND +PATH +CODE +REASON\n/);
    expect(ended.stdout).toMatch(/dropped +\S*instore\.mobile +not-a-phone +\S/);
  });

  it('accepts an array and lines; events of one customer build on each other', async () => {
    const second = event(
      { eventName: 'customerUpdated', eventId: 'e-3', createdAt: 1_790_848_900_000 },
      { firstName: undefined, lastName: 'Quill' },
    );
    const events = [event(), second];
    const array = await run(['map', await write('array.json', JSON.stringify(events)), '--json']);
    const lines = await run(['map', '-', '--json'], {
      input: `${events.map((one) => JSON.stringify(one)).join('\n')}\n\n`,
    });
    expect(array).toMatchObject({ code: 0, stderr: '' });
    const timeless = (text: string) => jsonLines(text).map((record) => ({ ...record, receivedAt: 0 }));
    expect(timeless(lines.stdout)).toEqual(timeless(array.stdout));
    const [first, last] = jsonLines(array.stdout);
    expect(first).toMatchObject({ outcome: 'messages', eventId: 'e-1', erase: false, notes: [] });
    expect(last?.['profile'].person.name).toEqual({ firstName: 'Amara', lastName: 'Quill' });
  });

  it('reads a file that is not UTF-8 as the relay does, and says so', async () => {
    const text = `[${JSON.stringify(event({}, { firstName: 'José' }))},${JSON.stringify(event())}]`;
    const file = join(folder, 'latin1.json');
    await writeFile(file, Buffer.from(text, 'latin1'));
    const ended = await run(['map', file]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('"firstName": "José"');
    expect(ended.stdout.match(/repaired .*not-utf-8 +the body is not UTF-8/g)).toHaveLength(1);
  });

  it('an ignored event is not a failure', async () => {
    const ended = await run(['map', '-'], { input: JSON.stringify(group) });
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('Ignored, nothing is sent: no-identity');
  });

  it('exits with 1 when something is not an event, and maps the rest', async () => {
    const input = `${JSON.stringify(event())}\n{"half":\n[1]\n`;
    const ended = await run(['map', '-', '--json'], { input });
    expect(ended.code).toBe(1);
    expect(jsonLines(ended.stdout).map(({ outcome }) => outcome)).toEqual([
      'messages',
      'not-an-event',
      'not-an-event',
    ]);
  });

  it('exits with 1 for a file that is not JSON at all', async () => {
    const ended = await run(['map', '-'], { input: '{\n  "eventName": \n' });
    expect(ended.code).toBe(1);
    expect(ended.stdout).toMatch(/not an event\nnot-json: /);
  });

  it('exits with 2 for a file that cannot be read', async () => {
    const ended = await run(['map', join(folder, 'none.json')]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/none\.json cannot be read \(ENOENT\)/);
  });
});

describe('map with a configuration', () => {
  const configure = async (name: string, sources: number): Promise<string> => {
    const config = relayConfig({
      imsUrl: 'http://127.0.0.1:1/ims/token/v3',
      inletUrl: 'http://127.0.0.1:1/collection/abc',
    });
    config.store['path'] = folder;
    const [source] = config.sources;
    config.sources = Array.from({ length: sources }, (_, index) => ({ ...source, name: `acme${index}` }));
    return write(name, stringify(config));
  };

  it('maps with the only source', async () => {
    const file = await configure('single.yaml', 1);
    const input = `${JSON.stringify(event())}\n${JSON.stringify(event({ orgId: 9 }))}`;
    const ended = await run(['map', '-', '--config', file, '--json'], { input });
    expect(ended.code).toBe(1);
    expect(jsonLines(ended.stdout)).toMatchObject([
      { outcome: 'messages', event: { _acme: {} } },
      { outcome: 'not-an-event', code: 'wrong-org' },
    ]);
  });

  it('requires --source when there are several sources', async () => {
    const file = await configure('several.yaml', 2);
    const input = JSON.stringify(event());
    const [none, wrong, right] = await Promise.all([
      run(['map', '-', '--config', file], { input }),
      run(['map', '-', '--config', file, '--source', 'beta'], { input }),
      run(['map', '-', '--config', file, '--source', 'acme1'], { input }),
    ]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('--source: acme0, acme1') });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('no such source: beta') });
    expect(right.code).toBe(0);
  });

  it('a configuration that does not exist', async () => {
    const missing = fileURLToPath(new URL('none.yaml', import.meta.url));
    expect(await run(['map', '-', '--config', missing], { input: '{}' })).toMatchObject({ code: 2 });
  });
});

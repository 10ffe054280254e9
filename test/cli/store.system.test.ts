import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { smallestWith } from '../config/config-text.ts';
import { append, sampleEvent } from '../contract/samples.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import { ADMIN_TOKEN, relayConfig, relayFolder } from '../helpers/relay-process.ts';
import { run } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-store-'));
const sound = join(folder, 'sound');
const damaged = join(folder, 'damaged');

async function fill(path: string): Promise<void> {
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  await Promise.all(
    Array.from({ length: 300 }, () =>
      append(journal, sampleEvent({ body: Buffer.from(JSON.stringify('A'.repeat(1_998))) })),
    ),
  );
  await journal.close();
}

const PAGE_BYTES = 4_096;

/** A page with records of events, from 1. */
function pageOfEvents(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  const pages = db
    .prepare("SELECT pageno FROM dbstat WHERE name = 'events' AND pagetype = 'leaf' ORDER BY pageno")
    .all();
  db.close();
  return Number(pages[Math.floor(pages.length / 2)]?.['pageno']);
}

beforeAll(async () => {
  await Promise.all([fill(sound), fill(damaged)]);
  const file = join(damaged, 'relay.db');
  // Bodies alone would be restored from the intake log.
  const page = pageOfEvents(file);
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, (page - 1) * PAGE_BYTES);
  closeSync(handle);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('store backup of a running relay', () => {
  const runningFolder = () => {
    const relays = relayFolder(
      relayConfig({ imsUrl: 'http://127.0.0.1:9', inletUrl: 'http://127.0.0.1:9/collection/c' }),
    );
    onTestFinished(() => relays.remove());
    return relays;
  };

  it('goes through its admin port, and can be restored', async () => {
    const relays = runningFolder();
    const relay = await relays.start();
    const answer = await relay.post(transactionAdded(1));
    const { receipt } = (await answer.json()) as { receipt: string };
    const restored = join(folder, 'restored');
    mkdirSync(restored);
    const to = join(restored, 'relay.db');
    const options = ['--url', relay.adminUrl, '--token', ADMIN_TOKEN];
    const ended = await run(['store', 'backup', ...options, '--to', to]);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toBe(`copied the store of the running relay to ${to}: ${statSync(to).size} bytes\n`);
    expect(statSync(to).mode & 0o777).toBe(0o600);
    expect(readdirSync(restored)).toEqual(['relay.db']);
    expect(await run(['store', 'verify', '--path', to])).toMatchObject({ code: 0, stderr: '' });
    const journal = await openSqliteJournal({ path: restored, encryptionKeys: [] });
    expect((await journal.find(receipt))?.event.state).toBe('pending');
    await journal.close();

    const again = await run(['store', 'backup', ...options, '--to', to]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('already exists') });
    const refused = await run(['store', 'backup', '--url', relay.adminUrl, '--to', join(folder, 'no.db')]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('token') });
    expect(readdirSync(folder).filter((name) => name.startsWith('no.db'))).toEqual([]);
    expect((await relay.post(transactionAdded(2))).status).toBe(200);
  });

  it('is chosen by itself, with the address and the token of the configuration', async () => {
    const relays = runningFolder();
    const config = relayConfig({ imsUrl: 'http://127.0.0.1:9', inletUrl: 'http://127.0.0.1:9/collection/c' });
    config.admin['port'] = await freePort();
    const withPort = relayFolder(config);
    onTestFinished(() => withPort.remove());
    await withPort.start();
    const to = join(relays.folder, 'a.db');
    const ended = await run(['store', 'backup', '--config', withPort.file, '--to', to, '--json']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ended.stdout)).toEqual({ file: to, bytes: statSync(to).size });
  });
});

describe('store', () => {
  it('verify: exits with 0 for a sound store, 1 for a damaged one', async () => {
    const [good, bad, json] = await Promise.all([
      run(['store', 'verify', '--path', sound]),
      run(['store', 'verify', '--path', damaged]),
      run(['store', 'verify', '--path', damaged, '--json']),
    ]);
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(good.stdout).toContain(`OK: the store in ${sound} is sound`);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^CHECK +PROBLEM\nintegrity +.*\n/u);
    expect(bad.stdout).toContain(`capillary-relay store salvage --path ${damaged} --to FOLDER`);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, path: damaged });
  });

  it('verify: shows which keys the payloads are encrypted with', async () => {
    const path = join(folder, 'encrypted');
    const [first, second] = ['11'.repeat(32), '22'.repeat(32)];
    for (const encryptionKeys of [[], [first], [second, first]]) {
      const journal = await openSqliteJournal({ path, encryptionKeys });
      for (let n = 0; n <= encryptionKeys.length; n += 1) await append(journal, sampleEvent());
      await journal.close();
    }
    const config = join(folder, 'relay.yaml');
    const write = (keys: readonly string[]) =>
      writeFileSync(config, smallestWith([['store', 'path'], path], [['store', 'encryptionKeys'], keys]));
    write([second, first]);
    const both = await run(['store', 'verify', '--config', config]);
    expect(both).toMatchObject({ code: 0, stderr: '' });
    expect(both.stdout).toMatch(/3 +[0-9a-f]{8} +the first in store\.encryptionKeys\n/u);
    expect(both.stdout).toMatch(/2 +[0-9a-f]{8} +an older one in store\.encryptionKeys: still needed\n/u);
    expect(both.stdout).toMatch(/1 +- +not encrypted\n/u);
    write([second]);
    const one = await run(['store', 'verify', '--config', config]);
    expect(one.stdout).toMatch(/2 +[0-9a-f]{8} +NOT in store\.encryptionKeys: cannot be decrypted\n/u);
    const json = JSON.parse((await run(['store', 'verify', '--path', path, '--json'])).stdout);
    expect(json.seals.map(({ payloads }: { payloads: number }) => payloads)).toEqual([3, 2, 1]);
  });

  it('backup: creates the file, and overwrites nothing', async () => {
    const to = join(folder, 'backup.db');
    expect(await run(['store', 'backup', '--path', sound, '--to', to])).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(statSync(to).size).toBeGreaterThan(600_000);
    const before = readFileSync(to);
    chmodSync(to, 0o400);
    const verified = await run(['store', 'verify', '--path', to]);
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    expect(verified.stdout).toContain(`OK: the store in ${to} is sound`);
    expect(readFileSync(to).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.startsWith('backup.db'))).toEqual(['backup.db']);
    const again = await run(['store', 'backup', '--path', sound, '--to', to]);
    expect(again).toEqual({
      code: 1,
      stdout: '',
      stderr: `${to} already exists; a backup never overwrites a file\n`,
    });
  });

  it('verify: finds the damage in a backup, and which keys it needs', async () => {
    const [keys, to] = [['33'.repeat(32)], join(folder, 'keyed.db')];
    const path = join(folder, 'keyed');
    const journal = await openSqliteJournal({ path, encryptionKeys: keys });
    await Promise.all(
      Array.from({ length: 50 }, () => append(journal, sampleEvent({ body: Buffer.alloc(9_000, 1) }))),
    );
    await journal.close();
    await run(['store', 'backup', '--path', path, '--to', to]);
    const config = join(folder, 'keyed.yaml');
    writeFileSync(config, smallestWith([['store', 'encryptionKeys'], keys]));
    const sealed = await run(['store', 'verify', '--path', to, '--config', config]);
    expect(sealed.stdout).toMatch(/50 +[0-9a-f]{8} +the first in store\.encryptionKeys\n/u);
    const handle = openSync(to, 'r+');
    writeSync(handle, Buffer.alloc(16_384, 0xa5), 0, 16_384, Math.floor(statSync(to).size / 8_192) * 4_096);
    closeSync(handle);
    const bad = await run(['store', 'verify', '--path', to]);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain(`THE STORE IN ${to} IS DAMAGED`);
    const salvaged = await run(['store', 'salvage', '--path', to, '--to', join(folder, 'keyed-salvaged')]);
    expect(salvaged.stdout).toContain('accepted: 50 before');
  });

  it('verify: a truncated backup is no reason to stop the relay', async () => {
    const to = join(folder, 'truncated.db');
    await run(['store', 'backup', '--path', sound, '--to', to]);
    truncateSync(to, Math.floor(statSync(to).size / 3));
    const ended = await run(['store', 'verify', '--path', to]);
    expect(ended.code).toBe(1);
    const text = ended.stdout + ended.stderr;
    expect(text).toContain(`the file ${to} is damaged`);
    expect(text).toContain('make a new backup');
    expect(text).toContain(`capillary-relay store salvage --path ${to} --to FOLDER`);
    expect(text).not.toContain('stop the relay');
  });

  it('backup: says that the folder does not exist', async () => {
    const to = join(folder, 'nodir', 'x.db');
    expect(await run(['store', 'backup', '--path', sound, '--to', to])).toEqual({
      code: 1,
      stdout: '',
      stderr: `the folder ${join(folder, 'nodir')} does not exist: create it first\n`,
    });
  });

  it('verify: refuses the file of a running relay, which has newer parts beside it', async () => {
    const path = join(folder, 'running');
    const journal = await openSqliteJournal({ path, encryptionKeys: [] });
    await append(journal, sampleEvent());
    const busy = await run(['store', 'verify', '--path', join(path, 'relay.db')]);
    await journal.close();
    expect(busy).toMatchObject({ code: 1, stderr: expect.stringContaining('stop it first') });
  });

  it('salvage: exits with 0 when nothing was lost, else 1 with the receipts', async () => {
    const [whole, part] = await Promise.all([
      run(['store', 'salvage', '--path', sound, '--to', join(folder, 'a')]),
      run(['store', 'salvage', '--path', damaged, '--to', join(folder, 'b'), '--json']),
    ]);
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    expect(whole.stdout).toMatch(/events +300 +0\n[^]*accepted: 300 before, 300 after/u);
    expect(part.code).toBe(1);
    const { ok, missing, findings } = JSON.parse(part.stdout);
    expect({ ok, findings }).toEqual({ ok: false, findings: [] });
    expect(missing.length).toBeGreaterThan(0);
  });

  it('verify and salvage: open payloads with the keys of the configuration', async () => {
    const [keys, path] = [['44'.repeat(32)], join(folder, 'flipped')];
    const journal = await openSqliteJournal({ path, encryptionKeys: keys });
    const { receipt } = await append(journal, sampleEvent());
    await journal.close();
    const db = new DatabaseSync(join(path, 'relay.db'));
    db.exec("UPDATE bodies SET body = CAST(substr(body, 1, length(body) - 1) || X'00' AS BLOB)");
    db.close();
    for (const name of ['intake-0.log', 'intake-1.log']) rmSync(join(path, name));
    const config = join(folder, 'flipped.yaml');
    writeFileSync(config, smallestWith([['store', 'path'], path], [['store', 'encryptionKeys'], keys]));
    const verified = await run(['store', 'verify', '--config', config]);
    expect(verified.code).toBe(1);
    expect(verified.stdout).toContain(`payload of event ${receipt} damaged`);
    const salvaged = await run(['store', 'salvage', '--config', config, '--to', join(folder, 'unflipped')]);
    expect(salvaged.code).toBe(1);
    expect(salvaged.stdout).toContain('THE NEW STORE IS NOT COMPLETE. Missing:\n');
    expect(salvaged.stdout).toContain('  payloads of pending events: 1\n');
    const blind = await run(['store', 'verify', '--path', path]);
    expect(blind.code).toBe(0);
    expect(blind.stdout).toMatch(/1 +[0-9a-f]{8} +pass --config too/u);
  });

  it('salvage: exits with 1 if the store was emptied, and verify does not call the new one sound', async () => {
    const path = join(folder, 'emptied');
    await fill(path);
    truncateSync(join(path, 'relay.db'), 0);
    for (const name of ['intake-0.log', 'intake-1.log']) rmSync(join(path, name));
    const to = join(folder, 'from-emptied');
    const salvaged = await run(['store', 'salvage', '--path', path, '--to', to]);
    expect(salvaged.code).toBe(1);
    expect(salvaged.stdout).toMatch(/ {2}accepted events: at least 300, of 300 as of 20\S+Z\n/u);
    const verified = await run(['store', 'verify', '--path', to]);
    expect(verified.code).toBe(1);
    expect(verified.stdout).toContain('the store holds 0 accepted events, but had 300 on ');
  });

  it('says what is wrong: no store, a running relay, wrong usage', async () => {
    const none = await run(['store', 'verify', '--path', folder]);
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toBe(`there is no store in ${folder}: relay.db is missing\n`);
    const journal = await openSqliteJournal({ path: sound, encryptionKeys: [] });
    const busy = await run(['store', 'backup', '--path', sound, '--to', join(folder, 'c.db')]);
    await journal.close();
    expect(busy).toMatchObject({ code: 1, stdout: '' });
    expect(busy.stderr).toContain('stop it first');
    expect(await run(['store', 'backup', '--path', sound])).toMatchObject({ code: 2 });
    expect(await run(['store', 'verify', '--config', join(folder, 'none.yaml')])).toMatchObject({ code: 2 });
  });
});

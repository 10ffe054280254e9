import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import type { Journal } from '../../src/journal/journal.ts';
import { verifyStore } from '../../src/journal/sqlite/offline/verify.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { claim, sampleEvent, settled, sha256 } from '../contract/samples.ts';
import { executeSql, freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { relayConfig } from '../helpers/relay-process.ts';
import { run, start } from './command-line.ts';

const EVENTS = 2_500;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-copy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function schemaOfTest(): Promise<TestSchema> {
  const schema = await freshSchema();
  onTestFinished(schema.drop);
  return schema;
}

function open(path: string): Promise<Journal> {
  return openSqliteJournal({ path, encryptionKeys: [] });
}

async function filledStore(): Promise<string> {
  const folder = join(temporaryFolder(), 'data');
  const journal = await open(folder);
  for (let from = 0; from < EVENTS; from += 500) {
    const events = Array.from({ length: 500 }, (_, index) =>
      sampleEvent({
        lane: sha256(`customer ${(from + index) % 700}`),
        body: Buffer.from(`{"n":${from + index},"filler":"${'x'.repeat(2_000)}"}`),
      }),
    );
    await journal.append(events);
    const { token, events: claimed } = await claim(journal, { events: 150 });
    await journal.settle(
      token,
      claimed.map(({ receipt }, index) =>
        index % 5 === 0 ? settled.dead(receipt) : settled.delivered(receipt),
      ),
    );
  }
  await journal.close();
  return folder;
}

/** Kills the copy at random moments until one ends by itself. @returns how many were killed */
async function copyWithKills(args: readonly string[]): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    const child = start('store', 'copy', ...args);
    let errors = '';
    child.stderr.on('data', (text) => (errors += String(text)));
    const ended = once(child, 'close');
    // The copy takes longer than the first of these times; they grow, so that it comes to an end.
    const timer = setTimeout(() => child.kill('SIGKILL'), 200 + Math.random() * 400 * (1 + kills));
    const [code, signal] = (await ended) as [number | null, string | null];
    clearTimeout(timer);
    // Killed after its last action.
    if (kills > 0 && errors.includes('there is a store in')) return kills;
    if (signal === 'SIGKILL') continue;
    if (code !== 0) throw new Error(`it ended with ${code}: ${errors}`);
    return kills;
  }
}

async function accountOf(folder: string): Promise<unknown> {
  const journal = await open(folder);
  const account = { ledger: await journal.ledger(), backlog: await journal.backlog() };
  const order: string[] = [];
  const { token, events } = await claim(journal, { events: 2_000 });
  order.push(...events.map(({ receipt, body }) => `${receipt} ${sha256(body.toString())}`));
  await journal.settle(
    token,
    events.map(({ receipt }) => settled.delivered(receipt)),
  );
  order.push(...(await claim(journal, { events: 2_000 })).events.map(({ receipt }) => receipt));
  await journal.close();
  return { ...account, order };
}

describe('store copy', () => {
  it('into PostgreSQL and back continues wherever it is killed', { timeout: 180_000 }, async () => {
    const folder = await filledStore();
    const { url, schema } = await schemaOfTest();
    const database = ['--schema', schema];
    const into = await copyWithKills(['--from', folder, '--to', url, ...database]);
    const [rows] = await executeSql(
      url,
      `SELECT count(*)::int AS events, count(DISTINCT seq)::int AS seqs FROM ${schema}.events`,
    );
    expect(rows).toEqual({ events: EVENTS, seqs: EVENTS });
    const back = join(temporaryFolder(), 'back');
    const from = await copyWithKills(['--from', url, '--to', back, ...database]);
    expect(into + from).toBeGreaterThan(0);
    expect(verifyStore(back)).toEqual([]);
    expect(await accountOf(back)).toEqual(await accountOf(folder));
  });

  it('says what it needs', async () => {
    const folder = temporaryFolder();
    const both = await run(['store', 'copy', '--from', folder, '--to', join(folder, 'other')]);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('store backup') });
    const wrong = await run(['store', 'copy', '--from', folder, '--to', 'postgres://relay:${NO_SUCH}@db/x']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('a placeholder in it') });
    const away = await run(['store', 'copy', '--from', 'postgres://relay@127.0.0.1:1/x', '--to', folder]);
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot connect') });
  });
});

describe('store migrate', () => {
  it('prints the SQL, executes it once, and then has nothing to do', async () => {
    const { url, schema } = await schemaOfTest();
    const folder = temporaryFolder();
    const file = join(folder, 'relay.yaml');
    const text = relayConfig({
      imsUrl: 'http://127.0.0.1:1/x',
      inletUrl: 'http://127.0.0.1:1/collection/abc',
    });
    const write = (store: object) => writeFileSync(file, stringify({ ...text, store }));
    write({ engine: 'postgres', url, schema });
    const migrate = (...args: readonly string[]) => run(['store', 'migrate', '--config', file, ...args]);
    const dry = await migrate('--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(/^-- first format\nBEGIN;\nSET LOCAL search_path = "/);
    // An administrator can execute it, wherever the search path of the session leads.
    const [printed] = dry.stdout.split('\n-- the schema ');
    await executeSql(url, `${printed?.replaceAll(schema, `${schema}_printed`)}`);
    const [table] = await executeSql(url, `SELECT to_regclass('${schema}_printed.events') AS name`);
    expect(table).toEqual({ name: `${schema}_printed.events` });
    await executeSql(url, `DROP SCHEMA ${schema}_printed CASCADE`);
    expect(await executeSql(url, `SELECT FROM pg_namespace WHERE nspname = '${schema}'`)).toEqual([]);
    expect((await migrate()).stdout).toMatch(/^migrated the schema .* from format 0 to \d+: first format/);
    expect((await migrate()).stdout).toContain('the newest: nothing to do');
    await executeSql(url, `UPDATE ${schema}.store SET format = format + 1`);
    expect((await migrate('--dry-run')).stdout).toMatch(
      /has format \d+, a newer one than \d+ of this version/,
    );
    for (const command of ['verify', 'salvage --to x', 'backup --to x']) {
      const { code, stderr } = await run(['store', ...command.split(' '), '--config', file]);
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('pg_dump --schema='),
      });
    }
    write({ path: join(folder, 'data') });
    expect(await migrate()).toMatchObject({ code: 1, stderr: expect.stringContaining('when it starts') });
  });
});

import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectFolder } from '../../src/cli/doctor/store-findings.ts';
import { StoreError } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { createFolder, folderProblem } from '../../src/journal/sqlite/engine/store-folder.ts';
import { reportSkip } from '../helpers/report-skip.ts';
import { journalFolder } from './journal-folder.ts';

const RELAY = { uid: 10_001, gid: 10_002 };
const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === 'linux';
if (!isLinux) reportSkip('a store in /proc', 'this system has none');

describe('creating the folder of a store', () => {
  it('creates its ancestors too, for its user only', async () => {
    const path = join(await journalFolder(), 'a', 'b');
    createFolder(path);
    createFolder(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  });

  it.runIf(isLinux)('ends where the file system creates no folders', () => {
    for (const path of ['/proc/nope', '/proc/nope/data']) expect(() => createFolder(path)).toThrow(/ENOENT/u);
    expect(folderProblem('/proc/nope', 'ENOENT', RELAY)).toEqual({
      reason: 'no folder can be created in /proc (ENOENT)',
      fix: 'set store.path to a folder on a disk, such as /var/lib/capillary-relay',
    });
  });
});

describe('the fix for a folder that is not writable', () => {
  it('creates a missing folder and gives it to the relay, and leaves the one above it alone', () => {
    expect(folderProblem('/etc/nope', 'EACCES', RELAY)).toEqual({
      reason: '/etc/nope does not exist, and this user (10001) cannot create it in /etc (EACCES)',
      fix: 'run as root: mkdir -p /etc/nope && chown 10001:10002 /etc/nope',
    });
    expect(folderProblem('/etc/it is/here', 'EACCES', RELAY).fix).toContain("mkdir -p '/etc/it is/here'");
  });

  it('gives an existing folder to the relay only if a store is in it and nothing else', async () => {
    const path = await journalFolder();
    await writeFile(join(path, 'relay.db'), '');
    await mkdir(join(path, 'lost+found'));
    expect(folderProblem(path, 'EACCES', RELAY).fix).toBe(`run as root: chown -R 10001:10002 ${path}`);
    await writeFile(join(path, 'passwd'), '');
    expect(folderProblem(path, 'EACCES', RELAY).fix).toBe(
      `run as root: chown 10001:10002 ${join(path, 'relay.db')}*`,
    );
    expect(folderProblem('/etc', 'EACCES', RELAY).fix).toMatch(
      /^set store\.path to a folder that only the relay uses, such as \S+$/u,
    );
  });

  it('leaves an empty folder to its owner and proposes one below it', async () => {
    const path = await journalFolder();
    await mkdir(join(path, 'lost+found'));
    const own = join(path, 'relay');
    expect(folderProblem(path, 'EACCES', RELAY).fix).toBe(
      `set store.path to ${own}, and run as root: mkdir ${own} && chown 10001:10002 ${own}`,
    );
  });

  it('names a link that leads nowhere, and creates nothing at its place', async () => {
    const folder = await journalFolder();
    const link = join(folder, 'link');
    await symlink(join(folder, 'gone'), link);
    for (const path of [link, join(link, 'store')]) {
      const { reason, fix } = folderProblem(path, 'EEXIST', RELAY);
      expect(reason).toBe(
        `${link} is a symbolic link to ${join(folder, 'gone')}, which user 10001 cannot find`,
      );
      expect(fix).not.toMatch(/chown|mkdir/u);
      expect(inspectFolder(path).findings).toMatchObject([{ level: 'fail', fix }]);
    }
  });

  it('proposes no command where root itself was refused', () => {
    const { reason, fix } = folderProblem('/etc/nope', 'EPERM', { uid: 0, gid: 0 });
    expect(reason).toBe('root cannot write to /etc (EPERM)');
    expect(fix).not.toMatch(/chown|mkdir/u);
  });

  it.each([
    ['EROFS', 'read-only file system', 'mount a writable volume'],
    ['ENOSPC', 'no space left', 'free space on its volume, or enlarge it'],
    ['EIO', 'cannot be used (EIO)', 'check /'],
  ])('%s: %s', async (code, reason, fix) => {
    const problem = folderProblem(await journalFolder(), code, RELAY);
    expect(problem.reason).toContain(reason);
    expect(problem.fix).toContain(fix);
  });
});

describe('the data folder in doctor', () => {
  it('with store.expect: existing fails as the start does where no store is', async () => {
    const path = await journalFolder();
    for (const folder of [path, join(path, 'missing')]) {
      const opening = openSqliteJournal({ path: folder, encryptionKeys: [], expect: 'existing' });
      const refused: unknown = await opening.catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StoreError);
      const { message, fix } = refused as StoreError;
      expect(inspectFolder(folder, 'existing').findings).toEqual([
        { check: 'data folder', level: 'fail', detail: message, fix },
      ]);
      expect(inspectFolder(folder, 'any').findings).toMatchObject([{ level: 'ok' }]);
    }
    await writeFile(join(path, 'relay.db'), 'x');
    expect(inspectFolder(path, 'existing').findings).toMatchObject([{ level: 'ok' }]);
  });

  it('fails where relay.db is missing beside its logs, and warns where only the marker is left', async () => {
    const path = await journalFolder();
    await writeFile(join(path, 'relay.db-wal'), 'x');
    const detail = `${join(path, 'relay.db')} is empty or missing, but its write-ahead log exists`;
    expect(inspectFolder(path).findings).toMatchObject([{ level: 'fail', detail }]);
    await rm(join(path, 'relay.db-wal'));
    await writeFile(join(path, '.relay-store'), '{"at":"2026-01-31T08:00:00.000Z","accepted":0}');
    expect(inspectFolder(path).findings).toMatchObject([{ level: 'ok' }]);
    await writeFile(join(path, '.relay-store'), '{"at":"2026-01-31T08:00:00.000Z","accepted":7}');
    expect(inspectFolder(path).findings).toMatchObject([
      { level: 'warn', detail: expect.stringContaining('0 accepted events, but had 7') },
    ]);
  });

  it('warns of a folder that has other things in it', async () => {
    for (const path of ['/', '/etc'])
      expect(inspectFolder(path).findings).toMatchObject([{ level: isRoot ? 'warn' : 'fail' }]);
    const path = await journalFolder();
    for (const entry of ['relay.db', 'relay.db-wal', '.snapshot']) await writeFile(join(path, entry), '');
    expect(inspectFolder(path).findings).toMatchObject([{ level: 'ok' }]);
    await writeFile(join(path, 'photo.jpg'), '');
    expect(inspectFolder(path).findings).toMatchObject([
      { level: 'warn', detail: `${path} has other things than a store in it, such as photo.jpg` },
    ]);
  });
});

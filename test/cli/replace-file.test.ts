import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { replaceFile } from '../../src/cli/replace-file.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'replace-file-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const isRoot = process.getuid?.() === 0;

describe('replaceFile', () => {
  it('keeps the permissions of a file, whatever the mask of the process', async () => {
    const file = join(folder(), 'relay.yaml');
    await replaceFile(file, 'a', 0o644);
    expect(statSync(file).mode & 0o777).toBe(0o644);
    chmodSync(file, 0o660);
    await replaceFile(file, 'b', 0o644);
    expect(statSync(file).mode & 0o777).toBe(0o660);
    expect(readFileSync(file, 'utf8')).toBe('b');
  });

  it.runIf(isRoot)('keeps the owner when root replaces the file of the relay', async () => {
    const file = join(folder(), 'relay.yaml');
    writeFileSync(file, 'a', { mode: 0o640 });
    chownSync(file, 65_534, 65_533);
    await replaceFile(file, 'b');
    expect(statSync(file)).toMatchObject({ uid: 65_534, gid: 65_533 });
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it('keeps symbolic links, such as those of a mounted folder of Kubernetes', async () => {
    const top = folder();
    mkdirSync(join(top, '..data-1'));
    writeFileSync(join(top, '..data-1', 'relay.yaml'), 'a');
    symlinkSync('..data-1', join(top, '..data'));
    symlinkSync('..data/relay.yaml', join(top, 'relay.yaml'));
    await replaceFile(join(top, 'relay.yaml'), 'b');
    expect(lstatSync(join(top, 'relay.yaml')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(top, '..data-1', 'relay.yaml'), 'utf8')).toBe('b');
    expect(readdirSync(join(top, '..data-1'))).toEqual(['relay.yaml']);
  });

  it('removes what killed processes have left of this file, and nothing else', async () => {
    const top = folder();
    const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e';
    const abandoned = `secret.${uuid}.part`;
    const others = [`secret2.${uuid}.part`, 'secret.part', 'secret.1.part', `${abandoned}.bak`];
    const recent = 'secret.7c9e6679-7425-40de-944b-e07fc1f90ae7.part';
    for (const name of [abandoned, recent, ...others]) writeFileSync(join(top, name), 'x');
    for (const name of [abandoned, ...others]) utimesSync(join(top, name), 1_700_000_000, 1_700_000_000);
    await replaceFile(join(top, 'secret'), 'b');
    expect(readdirSync(top).toSorted()).toEqual(['secret', recent, ...others].toSorted());
  });

  it('says what to do, and leaves nothing behind, when the file cannot be written', async () => {
    const top = folder();
    const missing = join(top, 'none', 'relay.yaml');
    await expect(replaceFile(missing, 'a')).rejects.toThrow(
      `${missing} cannot be written (ENOENT); fix: run the command as a user who may write into the folder`,
    );
    mkdirSync(join(top, 'relay.yaml'));
    await expect(replaceFile(join(top, 'relay.yaml'), 'a')).rejects.toThrow('cannot be written (EISDIR)');
    expect(readdirSync(top)).toEqual(['relay.yaml']);
  });
});

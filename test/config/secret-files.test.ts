import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { currentStamp, secretFileReader } from '../../src/config/secret-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-secrets-'));
const read = (text: string) => {
  writeFileSync(join(folder, 'key'), text);
  return secretFileReader(folder).readFile('key');
};

describe('secretFileReader', () => {
  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    [' two\nlines \n\n', ' two\nlines '],
  ])('reads %j as %j', (text, expected) => {
    expect(read(text)).toEqual({ text: expected });
  });

  it.each([
    ['an empty file', () => read('\n'), 'is empty'],
    ['a file that is no secret', () => read('x'.repeat(1_048_577)), 'is over 1 MiB, too large for a secret'],
    ['a folder', () => secretFileReader(folder).readFile('.'), 'is not a file'],
    ['no file', () => secretFileReader(folder).readFile('none'), 'cannot be read (ENOENT)'],
  ])('refuses %s', (_name, attempt, failure) => {
    expect(attempt()).toEqual({ failure });
  });

  it('notes each file as it was', async () => {
    const path = join(folder, 'noted');
    writeFileSync(path, 'one');
    const { readFile, stamps } = secretFileReader('/elsewhere');
    readFile(path);
    expect([...stamps]).toEqual([[path, await currentStamp(path)]]);
    writeFileSync(path, 'longer');
    expect(await currentStamp(path)).not.toBe(stamps.get(path));
    rmSync(path);
    expect(await currentStamp(path)).toBe('missing');
  });
});

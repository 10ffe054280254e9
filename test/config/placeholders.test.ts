import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import {
  currentStamp,
  interpolate,
  secretFileReader,
  type PlaceholderSources,
} from '../../src/config/placeholders.ts';

const files: Record<string, string> = { '/run/key': 'from-file' };
const FAILURES: Record<string, string> = {
  '/run/closed': 'cannot be read (EACCES)',
  '/run/empty': 'is empty',
  '/run/large': 'is larger than 1 MiB, too large for a secret',
  '/run/folder': 'is not a file',
};
function sources(env: Record<string, string> = {}): PlaceholderSources {
  return {
    env,
    readFile: (path) =>
      files[path] === undefined
        ? { failure: FAILURES[path] ?? 'cannot be read (ENOENT)', file: resolve('/etc/relay', path) }
        : { text: files[path] },
  };
}

function fill(text: string, env: Record<string, string> = {}) {
  const { value, findings } = interpolate({ key: text }, sources(env));
  return { text: (value as { key: string }).key, findings };
}

describe('interpolate', () => {
  it.each([
    ['${NAME}', 'value'],
    ['a-${NAME}-${OTHER}-z', 'a-value-other-z'],
    ['${NAME:-default}', 'value'],
    ['${UNSET:-default}', 'default'],
    ['${EMPTY:-default}', 'default'],
    ['${EMPTY}', ''],
    ['${UNSET:-}', ''],
    ['${UNSET:-a:-b $x}', 'a:-b $x'],
    ['${file:/run/key}', 'from-file'],
    ['Bearer ${file:/run/key}', 'Bearer from-file'],
    ['$${NAME}', '${NAME}'],
    ['$$${NAME}', '$${NAME}'],
    ['$NAME $$ {NAME} $', '$NAME $$ {NAME} $'],
  ])('replaces %s by %j', (template, expected) => {
    const { text, findings } = fill(template, { NAME: 'value', OTHER: 'other', EMPTY: '' });
    expect(findings).toEqual([]);
    expect(text).toBe(expected);
  });

  it('does not replace placeholders in a replaced value', () => {
    expect(fill('${NAME}', { NAME: '${OTHER} $& $1 $$', OTHER: 'x' }).text).toBe('${OTHER} $& $1 $$');
  });

  it.each([
    [
      '${UNSET}',
      'the environment variable UNSET is not set',
      'set UNSET, or, unless it is a secret, write a default: ${UNSET:-default}',
    ],
    ['${constructor}', 'the environment variable constructor is not set', 'set constructor'],
    [
      '${file:none}',
      'the file /etc/relay/none cannot be read (ENOENT)',
      'readable for the user of the relay',
    ],
    ['${file:/run/none}', 'the file /run/none cannot be read (ENOENT)', 'readable for the user of the relay'],
    ['${file:/run/closed}', 'the file /run/closed cannot be read (EACCES)', 'let this user read the file'],
    ['${file:/run/empty}', 'the file /run/empty is empty', 'write the secret into the file'],
    ['${file:/run/large}', 'the file /run/large is larger', 'name the file that has only the secret in it'],
    ['${file:/run/folder}', 'the file /run/folder is not a file', 'name the file that has only'],
    ['${file:}', 'an invalid placeholder', '${file:/path}'],
    ['${}', 'an invalid placeholder', '${NAME}'],
    ['${A B}', 'an invalid placeholder', '$${'],
    ['${UNSET:-${OTHER}}', 'a placeholder inside another', '${NAME:-default}'],
    ['a ${NAME', '${ without the closing }', '$${'],
  ])('reports %s', (template, message, fix) => {
    const { text, findings } = fill(template, { NAME: 'value' });
    expect(text).toBe(template);
    expect(findings).toHaveLength(1);
    expect(findings[0]?.path).toEqual(['key']);
    expect(findings[0]?.message).toContain(message);
    expect(findings[0]?.fix).toContain(fix);
  });

  it('replaces in every string but not in keys and other values, and returns the original strings', () => {
    const tree = { list: ['${A}', 1, null, true], '${A}': { deep: [{ er: 'x${A}' }] } };
    const { value, templates } = interpolate(tree, sources({ A: 'a' }));
    expect(value).toEqual({ list: ['a', 1, null, true], '${A}': { deep: [{ er: 'xa' }] } });
    expect([...templates]).toEqual([
      ['list[0]', '${A}'],
      ['["${A}"].deep[0].er', 'x${A}'],
    ]);
  });

  it('does not change the value of a variable, nor a string without ${', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (any) => {
        expect(fill('${NAME}', { NAME: any }).text).toBe(any);
        const plain = any.replaceAll('${', '');
        expect(fill(plain).text).toBe(plain);
        expect(fill(any.replaceAll('${', '$${')).text.replaceAll('$${', '${')).toBe(
          any.replaceAll('$${', '${'),
        );
      }),
    );
  });
});

const folder = mkdtempSync(join(tmpdir(), 'relay-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  writeFileSync(join(folder, 'key'), text);
  return secretFileReader(folder).readFile('key');
}

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
    ['a large file', () => read('x'.repeat(1_048_577)), 'is larger than 1 MiB, too large for a secret'],
    ['a folder', () => secretFileReader(folder).readFile('.'), 'is not a file'],
    ['no file', () => secretFileReader(folder).readFile('none'), 'cannot be read (ENOENT)'],
  ])('refuses %s', (_name, attempt, failure) => {
    expect(attempt()).toMatchObject({ failure, file: expect.stringContaining(folder) });
  });

  it('records the stamp of each file', async () => {
    const path = join(folder, 'recorded');
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

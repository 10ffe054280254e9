import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Surroundings, interpolate } from '../../src/config/interpolate.ts';

const files: Record<string, string> = { '/run/key': 'from-file' };
const surroundings = (env: Record<string, string> = {}): Surroundings => ({
  env,
  readFile: (path) =>
    files[path] === undefined ? { failure: 'cannot be read (ENOENT)' } : { text: files[path] },
});

const fill = (text: string, env: Record<string, string> = {}) => {
  const { value, findings } = interpolate({ key: text }, surroundings(env));
  return { text: (value as { key: string }).key, findings };
};

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
  ])('%s gives %j', (template, expected) => {
    const { text, findings } = fill(template, { NAME: 'value', OTHER: 'other', EMPTY: '' });
    expect(findings).toEqual([]);
    expect(text).toBe(expected);
  });

  it('does not fill in what it has filled in', () => {
    expect(fill('${NAME}', { NAME: '${OTHER} $& $1 $$', OTHER: 'x' }).text).toBe('${OTHER} $& $1 $$');
  });

  it.each([
    [
      '${UNSET}',
      'the environment variable UNSET is not set',
      'set UNSET, or give a default: ${UNSET:-default}',
    ],
    ['${constructor}', 'the environment variable constructor is not set', 'set constructor'],
    [
      '${file:/run/none}',
      'the file /run/none cannot be read (ENOENT)',
      'let the user that the relay runs as read it',
    ],
    ['${file:}', 'a placeholder that cannot be read', '${file:/path}'],
    ['${}', 'a placeholder that cannot be read', '${NAME}'],
    ['${A B}', 'a placeholder that cannot be read', '$${'],
    ['${UNSET:-${OTHER}}', 'a placeholder inside another', '${NAME:-default}'],
    ['a ${NAME', 'a ${ without its }', '$${'],
  ])('reports %s', (template, message, cure) => {
    const { text, findings } = fill(template, { NAME: 'value' });
    expect(text).toBe(template);
    expect(findings).toHaveLength(1);
    expect(findings[0]?.path).toEqual(['key']);
    expect(findings[0]?.message).toContain(message);
    expect(findings[0]?.cure).toContain(cure);
  });

  it('reaches every text, leaves keys and other values alone, and tells where', () => {
    const tree = { list: ['${A}', 1, null, true], '${A}': { deep: [{ er: 'x${A}' }] } };
    const { value, templates } = interpolate(tree, surroundings({ A: 'a' }));
    expect(value).toEqual({ list: ['a', 1, null, true], '${A}': { deep: [{ er: 'xa' }] } });
    expect([...templates]).toEqual([
      ['list[0]', '${A}'],
      ['["${A}"].deep[0].er', 'x${A}'],
    ]);
  });

  it('gives any variable back as it is, and any text without ${ too', () => {
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

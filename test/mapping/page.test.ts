import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../src/mapping/families/families.ts';
import { NOTE_CODES, noteOf } from '../../src/mapping/notes.ts';
import { compileOverrides } from '../../src/mapping/overrides.ts';
import { isListShape, isObjectShape, type Leaf, type Shape } from '../../src/xdm/shape.ts';
import { TENANT_EVENT_FIELDS, TENANT_PROFILE_FIELDS } from '../../src/xdm/tenant-fields.ts';

const page = readFileSync(new URL('../../docs/mapping.md', import.meta.url), 'utf8');
const section = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

describe('the page on mapping is true to the code', () => {
  it('has every event with a mapping of its own', () => {
    const table = section('Per event');

    expect([...FAMILIES.keys()].filter((name) => !table.includes(name))).toEqual([]);
  });

  it('has every note code, and none that there is not', () => {
    expect(noteRows().map(([code]) => code)).toHaveLength(new Set(noteRows().map(([code]) => code)).size);
    expect(new Set(noteRows().map(([code]) => code))).toEqual(new Set(NOTE_CODES));
  });

  it('has the kind of every note code', () => {
    expect(Object.fromEntries(noteRows())).toEqual(
      Object.fromEntries(NOTE_CODES.map((code) => [code, noteOf('', code).kind])),
    );
  });

  it('has every field below the tenant, and none that there is not', () => {
    const paths = [...leaves(TENANT_EVENT_FIELDS, 'T.'), ...leaves(TENANT_PROFILE_FIELDS, 'T.')];
    const told = [
      ...section('Which field groups a schema needs').matchAll(/`(T(?:\.\w+(?:\[\])?)+)(?:\{([\w,]+)\})?`/g),
    ];
    const toldPaths = told.flatMap(([, start, names]) =>
      (names ?? '').split(',').map((name) => `${start}.${name}`.replace(/\.$/, '')),
    );

    expect([...new Set(toldPaths)].toSorted()).toEqual(paths.map(([path]) => path).toSorted());
  });

  it('shows an override that compiles', () => {
    const [, event] = /event: \|\n([\s\S]*?)\n {4}profile/.exec(section('Overrides')) ?? [];
    const [, profile] = /profile: \|\n([\s\S]*?)```/.exec(section('Overrides')) ?? [];

    expect(() => compileOverrides({ overrides: { transactionAdded: { event, profile } } })).not.toThrow();
    expect(event).toContain('purchaseID');
  });
});

/** Code and kind of each code that the table of notes tells. */
const noteRows = (): (readonly [string, string])[] =>
  [...section('Notes').matchAll(/^\| (\w+) \| ([^|]+) \|/gm)].flatMap(([, kind = '', codes = '']) =>
    [...codes.matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => [code, kind] as const),
  );

function leaves(shape: Shape, path: string): readonly (readonly [string, Leaf])[] {
  if (isObjectShape(shape)) {
    const start = path.endsWith('.') ? path : `${path}.`;
    return Object.entries(shape.fields).flatMap(([name, inner]) => leaves(inner, `${start}${name}`));
  }
  return isListShape(shape) ? leaves(shape.items, `${path}[]`) : [[path, shape]];
}

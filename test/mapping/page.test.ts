import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NOTE_CODES, noteOf } from '../../src/mapping/notes.ts';
import { compileOverrides } from '../../src/mapping/overrides.ts';
import { generatedFiles } from '../docs/generated.ts';

const page = readFileSync(new URL('../../docs/mapping.md', import.meta.url), 'utf8');
const section = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

describe('the page on mapping is true to the code', () => {
  // Brought up to date by: npm run docs
  it('has the tables that the mapping gives', async () => {
    const files = await generatedFiles();

    expect(
      files.get('docs/mapping.md') === page,
      'docs/mapping.md is not what the code says: npm run docs',
    ).toBe(true);
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

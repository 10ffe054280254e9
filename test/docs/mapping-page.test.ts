import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { NOTE_CODES, noteOf } from '../../src/mapping/mapping-notes.ts';
import { compileOverrides } from '../../src/mapping/overrides.ts';
import { generatedFiles } from './generated.ts';

const page = readFileSync(new URL('../../docs/mapping.md', import.meta.url), 'utf8');
function section(title: string): string {
  return page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}

describe('docs/mapping.md', () => {
  // Updated by: npm run docs
  it('has the generated tables', async () => {
    const files = await generatedFiles();

    expect(files.get('docs/mapping.md') === page, 'docs/mapping.md is not up to date: npm run docs').toBe(
      true,
    );
  });

  it('has every note code and no others', () => {
    expect(noteRows().map(([code]) => code)).toHaveLength(new Set(noteRows().map(([code]) => code)).size);
    expect(new Set(noteRows().map(([code]) => code))).toEqual(new Set(NOTE_CODES));
  });

  it('has the kind of every note code', () => {
    expect(Object.fromEntries(noteRows())).toEqual(
      Object.fromEntries(NOTE_CODES.map((code) => [code, noteOf('', code).kind])),
    );
  });

  it('has an override that compiles', () => {
    const [, event] = /event: \|\n([\s\S]*?)\n {4}profile/.exec(section('Overrides')) ?? [];
    const [, profile] = /profile: \|\n([\s\S]*?)```/.exec(section('Overrides')) ?? [];

    expect(() => compileOverrides({ overrides: { transactionAdded: { event, profile } } })).not.toThrow();
    expect(event).toContain('purchaseID');
  });
});

/** Each code of the table of notes with its kind. */
function noteRows(): (readonly [string, string])[] {
  return [...section('Notes').matchAll(/^\| (\w+) \| ([^|]+) \|/gm)].flatMap(([, kind = '', codes = '']) =>
    [...codes.matchAll(/`([a-z0-9-]+)`/g)].map(([, code = '']) => [code, kind] as const),
  );
}

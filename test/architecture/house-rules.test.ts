import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_LINES = 300;
const MAX_COMMENT_COLUMNS = 100;

interface SourceFile {
  readonly path: string;
  readonly lines: readonly string[];
}

function filesOf(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = `${folder}/${name}`;
      return { path, lines: readFileSync(join(ROOT, path), 'utf8').split('\n') };
    });
}

/** `path:line` of each line that the pattern matches. */
function linesMatching(files: readonly SourceFile[], test: (line: string) => boolean): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => (test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

function isWideComment(line: string): boolean {
  return /^\s*(\/\/|\/\*|\*)/.test(line) && line.length > MAX_COMMENT_COLUMNS;
}

/**
 * `const f = (…) => …` at the top level; with a declared type (`const f: Handler = …`) it is
 * allowed.
 */
function isTopLevelArrow(line: string): boolean {
  return (
    /^(export )?const \w+ = (async )?(<.*>)?(\w+|\(.*) =>/.test(line) ||
    /^(export )?const \w+ = (async )?(<.*>)?\($/.test(line)
  );
}

const src = filesOf('src');
const everything = [...src, ...filesOf('test'), ...filesOf('bench'), ...filesOf('build')];

describe('house rules (ARCHITECTURE.md)', () => {
  it(`no file of src has over ${MAX_LINES} lines`, () => {
    expect(src.filter(({ lines }) => lines.length - 1 > MAX_LINES).map(({ path }) => path)).toEqual([]);
  });

  it('no two files of src have one name', () => {
    const names = src.map(({ path }) => basename(path)).filter((name) => name !== 'index.ts');
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it(`comments are at most ${MAX_COMMENT_COLUMNS} columns wide`, () => {
    expect(linesMatching(everything, isWideComment)).toEqual([]);
  });

  it('functions at the top level of src are declarations', () => {
    expect(linesMatching(src, isTopLevelArrow)).toEqual([]);
  });

  it('the checks find what they look for', () => {
    const planted = [
      {
        path: 'a.ts',
        lines: [
          'export const f = (a: string): string => a;',
          `// ${'x'.repeat(98)}`,
          'const g = async (',
          'const h: Handler = () => 1;',
        ],
      },
    ];
    expect(linesMatching(planted, isTopLevelArrow)).toEqual(['a.ts:1', 'a.ts:3']);
    expect(linesMatching(planted, isWideComment)).toEqual(['a.ts:2']);
  });
});

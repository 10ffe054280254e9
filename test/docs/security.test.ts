import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { placeOf } from './generated.ts';

/** Threats that the page must speak of, as their row begins. */
const THREATS = [
  'Forged events',
  'Replay of captured requests',
  'Floods',
  'Oversized and slow requests',
  'Decompression bombs',
  'Smuggled requests and headers',
  'Log and terminal injection',
  'SSRF',
  'Guessing the admin token',
  'Secrets in logs',
  'Data at rest',
  'Personal data and erasure',
  'Supply chain',
  'Container',
];

const rows = readFileSync(placeOf('docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));

function pathsIn(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
}

// That the files exist is what paths.test.ts sees to.
describe('the threats in docs/security.md', () => {
  it('are all there', () => {
    const names = rows.map(([name = '']) => name);
    expect(THREATS.filter((threat) => !names.some((name) => name.startsWith(threat)))).toEqual([]);
  });

  it.each(rows.map((row) => [row[0], row] as const))(
    '%s: what is done, where, which test, and what is left',
    (_name, row) => {
      const [, done, where, tests, left] = row;
      expect(row).toHaveLength(5);
      expect(done).toMatch(/\w{20,}|\w+ \w+ \w+/);
      expect(left).toMatch(/\w/);
      expect(pathsIn(where).length).toBeGreaterThan(0);
      expect(pathsIn(where).filter((path) => !/^(src|deploy)\//.test(path))).toEqual([]);
      expect(pathsIn(tests).length).toBeGreaterThan(0);
      expect(pathsIn(tests).filter((path) => !/^test\/.*\.ts$/.test(path))).toEqual([]);
    },
  );
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'deploy/aep/README.md',
  'deploy/helm/capillary-aep-relay/README.md',
  ...readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
  ...['NOTES.md', 'RESULTS.md'].map((name) => `bench/${name}`),
].filter((name) => name.endsWith('.md'));

describe('files that the documentation names', () => {
  it.each(PAGES)('%s', (page) => {
    const text = readFileSync(`${ROOT}${page}`, 'utf8');
    const named = [...text.matchAll(/`((?:src|test|deploy|docs|examples)\/[\w./-]*)`/g)].map(
      ([, path = '']) => path,
    );
    const folder = page.includes('/') ? page.slice(0, page.lastIndexOf('/') + 1) : '';
    const linked = [...text.matchAll(/\]\(((?!https?:)[\w./-]*[./][\w./-]*)/g)].map(([, path = '']) =>
      join(folder, path),
    );
    expect([...named, ...linked].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

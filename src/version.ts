import { readFileSync } from 'node:fs';

/**
 * A file of this package outside `src`. In the build all modules are in `dist`, so its folder is
 * one above this file in both.
 */
export function packageFile(name: string): URL {
  return new URL(`../${name}`, import.meta.url);
}

/** Version in the package.json of this package. */
export function readVersion(): string {
  const text = readFileSync(packageFile('package.json'), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : '';
  return typeof version === 'string' ? version : '';
}

import { readFileSync } from 'node:fs';

/** Version in the package.json of this package. */
export function readVersion(): string {
  // package.json is one folder above both src and dist.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : '';
  return typeof version === 'string' ? version : '';
}

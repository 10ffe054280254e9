import { readFileSync } from 'node:fs';

/** Version of the package this runs from. */
export function readVersion(): string {
  // Two folders up from src/cli and from dist/cli alike.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : '';
  return typeof version === 'string' ? version : '';
}

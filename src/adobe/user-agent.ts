import { readFileSync } from 'node:fs';
import { parseObject } from './json-text.ts';

function version(): string {
  try {
    // Two folders up from src/adobe and from dist/adobe alike.
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const found = parseObject(text)?.['version'];
    return typeof found === 'string' ? found : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Names the relay and its version to Adobe, whose support can find our requests by it. */
export const USER_AGENT = `capillary-aep-relay/${version()}`;

import type { JsonValue } from '../capillary/json.ts';
import { parseObject } from './json-text.ts';

const MAX_LIFETIME_MS = 86_400_000;
/** A JWT that claims more than this is not believed (adobe.md §1.3: tokens live 24 h). */
const MAX_CLAIM_MS = 90_000_000;
/** Less than this cannot be meant; and a token that dies at once would be minted for every request. */
const MIN_LIFETIME_MS = 1_000;
/** 86 399 is seconds, 86 399 994 ms: between them lie 11.5 days in seconds and 16.6 minutes in ms (adobe.md §1.3). */
const MAGNITUDE = 1_000_000;

function positive(value: JsonValue | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}

/** `expires_in` of the JWT's payload: ms, as a text, beside `created_at`. Observed, not promised, so anything else is passed over. */
function claimedMs(token: string): number | undefined {
  const claims = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const ms = positive(claims?.['expires_in']);
  if (ms === undefined || positive(claims?.['created_at']) === undefined) return undefined;
  return ms <= MAX_CLAIM_MS ? ms : undefined;
}

/** `expires_in` of the answer: seconds from the versioned endpoints, ms from the unversioned one (adobe.md §1.1). */
function answeredMs(expiresIn: JsonValue | undefined): number | undefined {
  const number = positive(expiresIn);
  if (number === undefined) return undefined;
  return number > MAGNITUDE ? number : number * 1_000;
}

/**
 * How long a token lives, counted from when it was received: the JWT's `created_at` is by Adobe's clock, so a comparison with ours
 * would make a fresh token look dead wherever our clock is fast. The shorter of what the JWT and the answer say. adobe.md §1.3.
 * @param expiresIn of the token answer, in whatever unit
 * @returns ms, at most 24 h; undefined when nothing usable is said
 */
export function tokenLifetime(token: string, expiresIn: JsonValue | undefined): number | undefined {
  const told = [claimedMs(token), answeredMs(expiresIn)].filter((ms) => ms !== undefined);
  const ms = Math.min(MAX_LIFETIME_MS, ...told);
  return told.length > 0 && ms >= MIN_LIFETIME_MS ? ms : undefined;
}

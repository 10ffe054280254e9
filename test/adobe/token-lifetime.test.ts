import { expect, test } from 'vitest';
import type { JsonValue } from '../../src/capillary/json.ts';
import { refreshMargin } from '../../src/adobe/token-cache.ts';
import { tokenLifetime } from '../../src/adobe/token-lifetime.ts';
import { DAY, HOUR, jwt, START } from './token-setup.ts';

const claims = (expiresIn: unknown, createdAt: unknown = String(START)) =>
  jwt({ created_at: createdAt, expires_in: expiresIn });

const cases: [string, string, JsonValue | undefined, number | undefined][] = [
  ['seconds', 'opaque', 86_399, 86_399_000],
  ['ms', 'opaque', 86_399_994, 86_399_994],
  ['seconds as a text', 'opaque', '3600', HOUR],
  ['the JWT is shorter', claims('3600000'), 86_399, HOUR],
  ['the JWT is longer', claims('86400000'), 600, 600_000],
  ['claims as numbers', claims(3_600_000, START), 86_399, HOUR],
  ['only the JWT tells', claims('3600000'), undefined, HOUR],
  ['the answer says nothing usable', claims('3600000'), 'soon', HOUR],
  ['over 24 h is cut', 'opaque', 100_000, DAY],
  ['a JWT over 24 h and up to 25 h is cut', claims(String(24.5 * HOUR)), undefined, DAY],
  ['a JWT over 25 h is not believed', claims(String(26 * HOUR)), 600, 600_000],
  ['a JWT without created_at is not believed', claims('60000', null), 600, 600_000],
  ['a payload that is no JSON', 'a.%%%.c', 600, 600_000],
  ['nothing', 'opaque', undefined, undefined],
  ['null', 'opaque', null, undefined],
  ['zero', 'opaque', 0, undefined],
  ['negative', 'opaque', -5, undefined],
  ['empty text', 'opaque', '', undefined],
  ['an object', 'opaque', {}, undefined],
  ['less than a second', claims('10'), undefined, undefined],
];

test.each(cases)('%s', (_, token, expiresIn, ms) => {
  expect(tokenLifetime(token, expiresIn)).toBe(ms);
});

test.each([
  [DAY, 0.5, 0.05 * DAY],
  [DAY, 0, 0.045 * DAY],
  [DAY, 1, 0.055 * DAY],
  [HOUR, 0.5, 300_000],
  [400_000, 0.5, 200_000],
  [60_000, 1, 30_000],
])('a life of %i ms with jitter %d is refreshed %d ms before its end', (lifetime, jitter, margin) => {
  expect(refreshMargin(lifetime, jitter)).toBeCloseTo(margin, 3);
});

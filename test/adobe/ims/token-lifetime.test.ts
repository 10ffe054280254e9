import { expect, test } from 'vitest';
import type { JsonValue } from '../../../src/capillary/json.ts';
import { refreshMargin } from '../../../src/adobe/ims/token-source.ts';
import { tokenLifetime } from '../../../src/adobe/ims/token-response.ts';
import { DAY, HOUR, jwt, START } from './token-setup.ts';

function claims(expiresIn: unknown, createdAt: unknown = String(START)) {
  return jwt({ created_at: createdAt, expires_in: expiresIn });
}

const cases: [string, string, JsonValue | undefined, number | undefined][] = [
  ['seconds', 'opaque', 86_399, 86_399_000],
  ['ms', 'opaque', 86_399_994, 86_399_994],
  ['seconds as a string', 'opaque', '3600', HOUR],
  ['the JWT is shorter', claims('3600000'), 86_399, HOUR],
  ['the JWT is longer', claims('86400000'), 600, 600_000],
  ['claims as numbers', claims(3_600_000, START), 86_399, HOUR],
  ['only the JWT has one', claims('3600000'), undefined, HOUR],
  ['the answer has nothing usable', claims('3600000'), 'soon', HOUR],
  ['over 24 h is limited', 'opaque', 100_000, DAY],
  ['a JWT over 24 h and up to 25 h is limited', claims(String(24.5 * HOUR)), undefined, DAY],
  ['a JWT over 25 h is not believed', claims(String(26 * HOUR)), 600, 600_000],
  ['a JWT without created_at is not believed', claims('60000', null), 600, 600_000],
  ['a payload that is not JSON', 'a.%%%.c', 600, 600_000],
  ['nothing', 'opaque', undefined, undefined],
  ['null', 'opaque', null, undefined],
  ['zero', 'opaque', 0, undefined],
  ['negative', 'opaque', -5, undefined],
  ['empty string', 'opaque', '', undefined],
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
])('a token of %i ms with jitter %d is refreshed %d ms before it expires', (lifetime, jitter, margin) => {
  expect(refreshMargin(lifetime, jitter)).toBeCloseTo(margin, 3);
});

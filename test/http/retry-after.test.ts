import { expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/http/retry-after.ts';

const NOW = Date.UTC(1994, 10, 6, 8, 49, 0);

test.each([
  ['120', 120_000],
  [' 7 ', 7_000],
  ['1.5', 1_500],
  ['0', undefined],
  ['0.0', undefined],
  ['99999', 3_600_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
  ['Sun Nov  6 08:49:37 1994', 37_000],
  ['Sun, 06 Nov 1994 08:00:00 GMT', undefined],
  ['Sun, 06 Nov 1994 08:49:00 GMT', undefined],
  ['Sun, 06 Nov 1997 08:00:00 GMT', 3_600_000],
  ['', undefined],
  ['soon', undefined],
  ['-5', undefined],
  ['1e3', undefined],
  ['1994', 1_994_000],
  ['Sun, 99 Foo 1994 08:49:37 GMT', undefined],
  ['2026-01-01T00:00:00Z', undefined],
])('%j is %s ms', (header, ms) => {
  expect(parseRetryAfter(header, NOW)).toBe(ms);
});

test('the first of several headers counts; without one there is no wait', () => {
  expect(parseRetryAfter(['3', '9'], NOW)).toBe(3_000);
  expect(parseRetryAfter([], NOW)).toBeUndefined();
  expect(parseRetryAfter(undefined, NOW)).toBeUndefined();
});

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { constantTimeEqual, matchesAny } from '../../src/sources/secret-matching.ts';

test('compares bytes of any length', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      expect(constantTimeEqual(a, b)).toBe(Buffer.compare(a, b) === 0);
      expect(constantTimeEqual(a, Uint8Array.from(a))).toBe(true);
    }),
  );
});

test('treats a string as its UTF-8 bytes', () => {
  expect(constantTimeEqual('clé', Buffer.from('clé'))).toBe(true);
  expect(constantTimeEqual('clé', Buffer.from('clé', 'latin1'))).toBe(false);
});

test('finds a match at any position and always compares all values', () => {
  let compared = 0;
  const counted = new Proxy(['a', 'b', 'c'], {
    get: (target, key, receiver): unknown => {
      compared += typeof key === 'string' && /^\d+$/.test(key) ? 1 : 0;
      return Reflect.get(target, key, receiver);
    },
  });
  expect(matchesAny('a', counted)).toBe(true);
  expect(compared).toBe(3);
  expect(matchesAny('c', ['a', 'b', 'c'])).toBe(true);
  expect(matchesAny('d', ['a', 'b', 'c'])).toBe(false);
  expect(matchesAny('', [])).toBe(false);
});

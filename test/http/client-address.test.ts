import * as fc from 'fast-check';
import { isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import { clientAddress, normalizeForwardedFor } from '../../src/http/client-address.ts';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:51008', '203.0.113.7'],
  ['"203.0.113.7:51008"', '203.0.113.7'],
  [' 203.0.113.7:1 ', '203.0.113.7'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['"[2001:db8::1]:443"', '2001:db8::1'],
  ['" [2001:DB8:0::1]:443 "', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['[::ffff:203.0.113.7]:80', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%25eth0]:80', 'fe80::1'],
])('%s is the address %s', (entry, address) => {
  expect(normalizeForwardedFor(entry)).toBe(address);
  expect(clientAddress(entry)).toBe(address);
});

test.each([
  'unknown',
  '_hidden',
  '203.0.113.7:x',
  '203.0.113.7:123456',
  '203.0.113',
  '203.0.113.7.8:80',
  '203.0.113.007',
  '[2001:db8::1',
  '2001:db8::1]:443',
  '[203.0.113.7',
  '"',
  '""',
  'for=203.0.113.7',
  'http://203.0.113.7/',
  '203.0.113.7/32',
  '[]',
  '%eth0',
  '::1 ::1',
])('%s is unknown', (entry) => {
  expect(normalizeForwardedFor(entry)).toBe('unknown');
});

test('every entry of a chain is read, and empty ones are none', () => {
  expect(normalizeForwardedFor('"[2001:db8::1]:443", ,203.0.113.7:51008 ,evil, 10.0.0.1')).toBe(
    '2001:db8::1, 203.0.113.7, unknown, 10.0.0.1',
  );
  expect(normalizeForwardedFor(' , ')).toBe('');
  expect(clientAddress(undefined)).toBe('unknown');
});

describe('any text', () => {
  const parts = fc.constantFrom('203.0.113.7', '2001:db8::1', ':', '[', ']', '"', ',', '%', ' ', '443', '::');
  const texts = fc.oneof(
    fc.string(),
    fc.array(parts).map((some) => some.join('')),
  );

  test('becomes addresses and the word unknown only', () => {
    expect.hasAssertions();
    fc.assert(
      fc.property(texts, (text) => {
        const entries = normalizeForwardedFor(text).split(', ');
        expect(entries.filter((entry) => isIP(entry) === 0 && entry !== 'unknown' && entry !== '')).toEqual(
          [],
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

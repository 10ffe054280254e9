import { expect, test } from 'vitest';
import { createAllowFrom } from '../../src/sources/allow-from.ts';

test('an empty list allows all', () => {
  const isAllowed = createAllowFrom([]);
  expect(isAllowed('203.0.113.9')).toBe(true);
  expect(isAllowed('')).toBe(true);
});

const isAllowed = createAllowFrom([
  '10.0.0.0/8',
  '203.0.113.7',
  '2001:db8::/32',
  '::1',
  '::ffff:192.0.2.0/120',
]);

test.each([
  '10.1.2.3',
  '::ffff:10.1.2.3',
  '::FFFF:0a01:0203',
  '0:0:0:0:0:ffff:10.1.2.3',
  '203.0.113.7',
  '2001:db8::9',
  '2001:0DB8:0:0::9',
  '::1',
  '192.0.2.200',
  '::ffff:192.0.2.200',
])('allows %s', (ip) => {
  expect(isAllowed(ip)).toBe(true);
});

test.each([
  '11.0.0.1',
  '::ffff:11.0.0.1',
  '203.0.113.8',
  '2001:db9::9',
  '::2',
  '::10.1.2.3',
  '192.0.3.1',
  '',
  'unknown',
  '10.1.2',
  '10.1.2.3.4',
  '010.1.2.3',
  '10.1.2.3:80',
  '[::1]',
  '::1]',
])('refuses %j', (ip) => {
  expect(isAllowed(ip)).toBe(false);
});

test('ignores the zone of a link-local address', () => {
  expect(createAllowFrom(['fe80::/10'])('fe80::1%eth0')).toBe(true);
});

test('handles the widest ranges', () => {
  expect(createAllowFrom(['0.0.0.0/0'])('198.51.100.1')).toBe(true);
  expect(createAllowFrom(['0.0.0.0/0'])('2001:db8::1')).toBe(false);
  expect(createAllowFrom(['::/0'])('2001:db8::1')).toBe(true);
});

test.each(['nonsense', '10.0.0.0/33', '', '::ffff:10.0.0.0/8'])('%j is not a valid range', (range) => {
  expect(() => createAllowFrom([range])).toThrow(RangeError);
});

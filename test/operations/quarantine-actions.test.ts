import { expect, it } from 'vitest';
import { headerNames, parseRawHeaders } from '../../src/operations/quarantine-actions.ts';

const RAW = ['Host', 'relay', 'X-Key', 'one', 'x-key', 'two', '__proto__', 'x'];

it('rebuilds the headers object from raw headers', () => {
  const headers = parseRawHeaders(RAW);
  expect(headers['host']).toBe('relay');
  expect(headers['x-key']).toBe('one, two');
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
});

it('lists header names as received, without values', () => {
  expect(headerNames(RAW)).toEqual(['Host', 'X-Key', 'x-key', '__proto__']);
});

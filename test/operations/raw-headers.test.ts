import { expect, it } from 'vitest';
import { headerNames, headersOf } from '../../src/operations/raw-headers.ts';

const RAW = ['Host', 'relay', 'X-Key', 'one', 'x-key', 'two', '__proto__', 'x'];

it('rebuilds headers from what came over the wire', () => {
  const headers = headersOf(RAW);
  expect(headers['host']).toBe('relay');
  expect(headers['x-key']).toBe('one, two');
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
});

it('names headers as they came, without values', () => {
  expect(headerNames(RAW)).toEqual(['Host', 'X-Key', 'x-key', '__proto__']);
});

import { expect, it } from 'vitest';
import { headersOf, parseRawHeaders } from '../../src/operations/quarantine-actions.ts';

const RAW = ['Host', 'relay', 'X-Key', 'one', 'x-key', 'two', '__proto__', 'x'];

it('rebuilds the headers object from raw headers', () => {
  const headers = parseRawHeaders(RAW);
  expect(headers['host']).toBe('relay');
  expect(headers['x-key']).toBe('one, two');
  expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
});

it('lists headers as received, with the length of each value in place of the value', () => {
  expect(headersOf(RAW)).toEqual([
    { name: 'Host', characters: 5 },
    { name: 'X-Key', characters: 3 },
    { name: 'x-key', characters: 3 },
    { name: '__proto__', characters: 1 },
  ]);
});

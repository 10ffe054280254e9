import { expect, it } from 'vitest';
import { diffValues } from '../../src/cli/map/mapping-diff.ts';

it.each([
  ['equal values', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
  ['a value', { a: { b: 1 } }, { a: { b: '1' } }, [{ path: 'a.b', old: 1, new: '1' }]],
  ['a field that is new', { a: 1 }, { a: 1, b: { c: 2 } }, [{ path: 'b', new: { c: 2 } }]],
  ['a field that is gone', { a: [{ b: 1 }] }, { a: [] }, [{ path: 'a[0]', old: { b: 1 } }]],
  ['an object in place of a list', { a: [1] }, { a: { b: 1 } }, [{ path: 'a', old: [1], new: { b: 1 } }]],
  ['null in place of a value', { a: 1 }, { a: null }, [{ path: 'a', old: 1, new: null }]],
  ['two texts', 'x', 'y', [{ path: '', old: 'x', new: 'y' }]],
])('finds the difference: %s', (_what, old, next, changes) => {
  expect(diffValues(old, next)).toEqual(changes);
});

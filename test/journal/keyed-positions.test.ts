import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedPositions } from '../../src/journal/sqlite/keyed-positions.ts';

describe('KeyedPositions', () => {
  it('keeps the positions of a key in rising order, in whichever order they come and go', () => {
    const seq = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.array(seq, { maxLength: 12 }), fc.array(seq, { maxLength: 6 }), (come, go) => {
        const positions = new KeyedPositions();
        const left = [...come];
        for (const one of come) positions.add(7, one);
        for (const one of go) {
          const at = left.indexOf(one);
          expect(positions.drop(7, one)).toBe(at >= 0);
          if (at >= 0) left.splice(at, 1);
        }
        const sorted = left.toSorted((a, b) => a - b);
        expect(positions.of(7)).toEqual(sorted);
        expect(positions.first(7)).toBe(sorted[0]);
        expect(positions.has(7)).toBe(sorted.length > 0);
      }),
    );
  });
});

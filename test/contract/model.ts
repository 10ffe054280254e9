import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Comparison } from './comparison.ts';
import { step } from './model-steps.ts';
import type { MakeStore } from './test-store.ts';

/** Random sequences of calls, to the engine and to a plain model of the contract. */
export const describeModel = (make: MakeStore) =>
  describe('any sequence of calls', () => {
    it('keeps order, claims and counts as the plain model does', { timeout: 180_000 }, async () => {
      expect.hasAssertions();
      // Left to itself the library makes a dozen steps at most: too few for two events to meet in a lane.
      const sequence = fc.array(step, { minLength: 1, maxLength: 100, size: 'max' });
      const property = fc.asyncProperty(sequence, async (steps) => {
        const store = await make();
        const comparison = new Comparison(store, await store.open());
        try {
          for (const of of steps) await comparison.take(of);
          await comparison.drain();
        } finally {
          await comparison.close();
          await store.remove();
        }
      });
      // A long sequence shrinks for minutes: what is found by then is told.
      await fc.assert(property, { numRuns: 20, interruptAfterTimeLimit: 120_000 });
    });
  });

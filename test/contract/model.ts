import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Comparison } from './comparison.ts';
import { step } from './model-steps.ts';
import type { MakeStore } from './test-store.ts';

/** Compares the engine with a simple model of the contract over random sequences of calls. */
export function describeModel(make: MakeStore) {
  return describe('any sequence of calls', () => {
    it('produces the same order, claims and counts as the simple model', async () => {
      expect.hasAssertions();
      // By default the library generates a dozen steps at most, too few for conflicts in a lane.
      const sequence = fc.array(step, { minLength: 1, maxLength: 100, size: 'max' });
      const property = fc.asyncProperty(sequence, async (steps) => {
        const store = await make();
        const comparison = new Comparison(store, await store.open());
        try {
          for (const each of steps) await comparison.run(each);
          await comparison.drain();
        } finally {
          await comparison.close();
          await store.remove();
        }
      });
      // Shrinking a long sequence can take minutes; the best result until then is reported.
      await fc.assert(property, { numRuns: 20, interruptAfterTimeLimit: 120_000 });
    });
  });
}

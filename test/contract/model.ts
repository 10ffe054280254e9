import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Comparison } from './comparison.ts';
import { refreshStep, type Step, step } from './model-steps.ts';
import type { MakeStore } from './test-store.ts';

/** Compares the engine with a simple model of the contract over random sequences of calls. */
export function describeModel(make: MakeStore) {
  return describe('any sequence of calls', () => {
    it.each([
      ['any calls', step, { minLength: 1, maxLength: 100, numRuns: 20 }],
      // Short sequences have no refresh: each needs some ten steps before it.
      ['refreshes', refreshStep, { minLength: 60, maxLength: 100, numRuns: 6 }],
    ] as const)(
      'produces the same order, claims and counts as the simple model: %s',
      async (_what, steps, { numRuns, ...length }) => {
        expect.hasAssertions();
        // By default the library generates a dozen steps at most, too few for conflicts in a lane.
        const sequence = fc.array<Step>(steps, { ...length, size: 'max' });
        const property = fc.asyncProperty(sequence, async (each) => {
          const store = await make();
          const comparison = new Comparison(store, await store.open());
          try {
            for (const one of each) await comparison.run(one);
            await comparison.drain();
          } finally {
            await comparison.close();
            await store.remove();
          }
        });
        // Shrinking a long sequence can take minutes; the best result until then is reported.
        await fc.assert(property, { numRuns, interruptAfterTimeLimit: 120_000 });
      },
    );
  });
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LandingComparison } from './landing-comparison.ts';
import { type LandingStep, landingStep } from './landing-steps.ts';
import type { MakeStore } from './test-store.ts';

/** Compares what an engine knows of landings with a simple model, over random calls. */
export function describeLandingSequences(make: MakeStore): void {
  describe('any sequence of calls', () => {
    it('has landed, refused and unconfirmed events as the simple model', async () => {
      expect.hasAssertions();
      const sequence = fc.array<LandingStep>(landingStep, { minLength: 20, maxLength: 100, size: 'max' });
      const property = fc.asyncProperty(sequence, async (steps) => {
        const store = await make();
        const comparison = new LandingComparison(store, await store.open());
        try {
          for (const step of steps) await comparison.run(step);
        } finally {
          await comparison.close();
          await store.remove();
        }
      });
      await fc.assert(property, { numRuns: 12, interruptAfterTimeLimit: 120_000 });
    });
  });
}

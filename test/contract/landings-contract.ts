import { describe } from 'vitest';
import { describeLanding } from './landing.ts';
import type { MakeStore } from './test-store.ts';

/** Tests an engine against the contract of src/journal/landings.ts. */
export function describeLandingsContract(name: string, make: MakeStore): void {
  describe(`landings over ${name}`, () => {
    describeLanding(make);
  });
}

import { describe } from 'vitest';
import { describeDoubting } from './doubting.ts';
import { describeKnownEvents } from './known-events.ts';
import { describeLanding } from './landing.ts';
import { describeRefusing } from './refusing.ts';
import type { MakeStore } from './test-store.ts';

/** Tests an engine against the contract of src/journal/landings.ts. */
export function describeLandingsContract(name: string, make: MakeStore): void {
  describe(`landings over ${name}`, () => {
    describeLanding(make);
    describeDoubting(make);
    describeRefusing(make);
    describeKnownEvents(make);
  });
}

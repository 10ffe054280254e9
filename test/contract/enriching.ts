import { describe } from 'vitest';
import { describeEntities } from './entities.ts';
import { describeRefreshing } from './refreshing.ts';
import type { MakeStore } from './test-store.ts';

/** The part of the contract that `Enrichments` adds. */
export function describeEnriching(name: string, make: MakeStore): void {
  describe(`enrichments over ${name}`, () => {
    describeEntities(make);
    describeRefreshing(make);
  });
}

import type { RetentionPolicy } from '../../src/journal/journal.ts';
import { until } from '../helpers/until.ts';
import { sampleQuarantined } from './samples.ts';
import type { JournalInTest } from './test-store.ts';

/** Bounds that no test reaches. */
export const AMPLE_ROOM = { maxBytes: 2 ** 50, minFree: 0 };
/** A source of its own, so that the counts of the others do not change. */
const MARKER = sampleQuarantined({ source: 'marker', rawHeaders: [] });

/**
 * Restarts the journal at a time of the engine's clock and returns after a round of retention: when
 * a request in the quarantine that had expired is gone.
 */
export async function retainAt(test: JournalInTest, retention: RetentionPolicy, ms: number): Promise<void> {
  test.clock.set(ms);
  const journal = await test.reopen();
  await journal.quarantine(MARKER, { maxCount: 1, maxBytes: 1_000, maxAge: 0 });
  journal.maintain(() => ({ retention, ...AMPLE_ROOM }));
  await until(async () => (await journal.ledger())['marker']?.quarantined === 0);
}

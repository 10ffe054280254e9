/* oxlint-disable vitest/no-standalone-expect -- the checks of two tests are shared */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTrial } from '../../src/cli/map/mapping-trial.ts';
import type { DestinationConfig, SourceConfig } from '../../src/config/config-schema.ts';
import { contextOf } from '../mapping/mapping-rig.ts';
import { history, type HistoryEvent } from './history.ts';
import { JournalRun } from './journal-run.ts';
import { contentOf, expectedProfiles } from './profile-model.ts';

/** The complete parsed configuration. */
const { source, destination } = contextOf() as unknown as {
  source: SourceConfig;
  destination: DestinationConfig;
};
const RUNS = 400;
const NOW = Date.UTC(2026, 10, 20, 12);

/** A history, and its events as they arrive: in any order, each once or twice. */
const accepted = history.chain((events) =>
  fc.tuple(
    fc.constant(events),
    fc
      .tuple(fc.constant(events), fc.subarray([...events]))
      .chain(([once, again]) =>
        fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }),
      ),
  ),
);

/** The customer at the end of a chain of merges. */
function survivorOf(events: readonly HistoryEvent[], customer: number): number {
  const merge = events.find(({ change }) => change.kind === 'merged' && change.victim === customer);
  return merge === undefined ? customer : survivorOf(events, merge.change.customer);
}

/**
 * Compares the last record of each survivor with the model. AEP stores records by primary identity:
 * that of the survivor, or of a victim if only victims have remaining attributes. A customer
 * without any remaining attributes may have an older record.
 */
function expectConvergence(
  events: readonly HistoryEvent[],
  sent: readonly { by: HistoryEvent; entity: object }[],
): void {
  for (const [customer, expected] of expectedProfiles(events)) {
    if (expected === undefined) continue;
    const actual = sent
      .filter(({ by }) => survivorOf(events, by.change.customer) === customer)
      .map(({ entity }) => contentOf(entity))
      .findLast(({ ids }) => expected.ids.includes(ids[0] ?? ''));
    expect(actual?.attributes).toEqual(expected.attributes);
    expect(actual?.phones).toEqual(expected.phones);
    expect(actual?.ids).toHaveLength(1);
  }
}

describe('the last profile records match a model that sees all events in order', () => {
  it('when events are accepted one after the other, in any order, once or twice', async () => {
    await fc.assert(
      fc.asyncProperty(accepted, async ([events, arriving]) => {
        const trial = createTrial({ source, destination });
        const sent: { by: HistoryEvent; entity: object }[] = [];
        for (const by of arriving) {
          const mapped = await trial(by.body, { receivedAt: NOW });
          if (mapped.outcome === 'messages' && mapped.profile !== undefined)
            sent.push({ by, entity: mapped.profile });
        }
        expectConvergence(events, sent);
      }),
      { numRuns: RUNS },
    );
  });

  it('when they pass through the journal concurrently, with retries, a restart and replays', async () => {
    await fc.assert(
      fc.asyncProperty(accepted, fc.nat(), async ([events, arriving], seed) => {
        const run = await JournalRun.open({ source, destination, now: NOW, seed });
        try {
          await run.accept(arriving);
          expectConvergence(events, run.sent);
          await run.replayAll();
          expectConvergence(events, run.sent);
          expect(await run.faults()).toEqual([]);
        } finally {
          await run.close();
        }
      }),
      { numRuns: RUNS / 20 },
    );
  });
});

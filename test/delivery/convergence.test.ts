/* oxlint-disable vitest/no-standalone-expect -- the checks of two tests are shared */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTrial } from '../../src/cli/mapping-trial.ts';
import type { DestinationConfig, SourceConfig } from '../../src/config/schema.ts';
import { contextOf } from '../mapping/mapping-rig.ts';
import { history, knownOf, plainModel, type Told } from './history.ts';
import { JournalRun } from './journal-run.ts';

/** As it was parsed: whole. */
const { source, destination } = contextOf() as unknown as {
  source: SourceConfig;
  destination: DestinationConfig;
};
const RUNS = 400;
const NOW = Date.UTC(2026, 10, 20, 12);

/** A history, and its events as they come: in any order, each once or twice. */
const accepted = history.chain((told) =>
  fc.tuple(
    fc.constant(told),
    fc
      .tuple(fc.constant(told), fc.subarray([...told]))
      .chain(([once, again]) =>
        fc.shuffledSubarray([...once, ...again], { minLength: once.length + again.length }),
      ),
  ),
);

/** The customer at the end of a chain of merges. */
const survivorOf = (told: readonly Told[], customer: number): number => {
  const merge = told.find(({ happening }) => happening.do === 'merged' && happening.victim === customer);
  return merge === undefined ? customer : survivorOf(told, merge.happening.customer);
};

/**
 * Holds the last record of each survivor against the model. AEP keeps records by their primary identity: that of the survivor, or of a victim
 * where only victims have told something that is left. Of a customer of whom nothing is left there may be an older record.
 */
const expectKnown = (told: readonly Told[], sent: readonly { by: Told; entity: object }[]): void => {
  for (const [customer, must] of plainModel(told)) {
    if (must === undefined) continue;
    const primaries = must.ids.includes(String(customer)) ? [String(customer)] : must.ids;
    const is = sent
      .filter(({ by }) => survivorOf(told, by.happening.customer) === customer)
      .map(({ entity }) => knownOf(entity))
      .findLast(({ ids }) => primaries.includes(ids[0] ?? ''));
    expect(is?.attributes).toEqual(must.attributes);
    expect(is?.ids.toSorted()).toEqual(must.ids.toSorted());
  }
};

describe('whatever the order in which events are accepted, and however often', () => {
  it('one after the other: the last records are those of a model that sees them in order', async () => {
    await fc.assert(
      fc.asyncProperty(accepted, async ([told, coming]) => {
        const trial = createTrial({ source, destination, now: NOW });
        const sent: { by: Told; entity: object }[] = [];
        for (const by of coming) {
          const mapped = await trial(by.body);
          if (mapped.outcome === 'messages' && mapped.profile !== undefined)
            sent.push({ by, entity: mapped.profile });
        }
        expectKnown(told, sent);
      }),
      { numRuns: RUNS },
    );
  });

  it('through the journal, many at once, with retries, a restart and replays', {
    timeout: 240_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(accepted, fc.nat(), async ([told, coming], seed) => {
        const run = await JournalRun.open({ source, destination, now: NOW, seed });
        try {
          await run.accept(coming);
          expectKnown(told, run.sent);
          await run.replayAll();
          expectKnown(told, run.sent);
          expect(await run.faults()).toEqual([]);
        } finally {
          await run.close();
        }
      }),
      { numRuns: RUNS / 20 },
    );
  });
});

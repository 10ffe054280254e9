import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { NewEvent, RetentionPolicy } from '../../src/journal/journal.ts';
import type { Channel } from '../../src/journal/sqlite/thread/channel.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { claimLimits, DAY, sampleEvent, settled } from '../contract/samples.ts';
import { journalFolder, openChannel } from './journal-folder.ts';

const MiB = 1_048_576;
/** So late that everything settled is due at once. */
const IMMEDIATELY: RetentionPolicy = { delivered: -DAY, ids: -100 * DAY, dead: -DAY };
const CLAIMANT = { id: 'the only one', destination: 'aep' };

/** Claims and delivers everything. */
async function deliverAll(channel: Channel): Promise<void> {
  for (;;) {
    const { token, events } = await channel.call('claim', { claimant: CLAIMANT, limits: claimLimits() });
    if (events.length === 0) return;
    const settlements = events.map(({ receipt }) => settled.delivered(receipt));
    await channel.call('settle', { token, settlements });
  }
}

describe('the files under continuous load', () => {
  it('stay bounded: the log by checkpoints, the database by retention', async () => {
    const path = await journalFolder();
    const channel = await openChannel(path);
    const size = (suffix = ''): number => statSync(join(path, DATABASE_FILE + suffix)).size;
    const body = Buffer.alloc(20_000, 1);
    let maxLogSize = 0;
    let written = 0;
    for (let round = 0; round < 6; round += 1) {
      const events = Array.from({ length: 500 }, (_, n) => sampleEvent({ body, lane: `c${n % 20}` }));
      await Promise.all(events.map((event) => channel.call('append', packEvents([event]))));
      written += events.length * body.length;
      maxLogSize = Math.max(maxLogSize, size('-wal'));
      await deliverAll(channel);
      for (let more = true; more; ) ({ more } = await channel.call('retain', IMMEDIATELY));
      maxLogSize = Math.max(maxLogSize, size('-wal'));
    }
    expect(written).toBeGreaterThan(55 * MiB);
    // A batch has at most 16 MiB and the log is limited to 32 MiB.
    expect(maxLogSize).toBeLessThan(48 * MiB);
    expect(size()).toBeLessThan(20 * MiB);
    expect(await channel.call('ledger', undefined)).toMatchObject({
      acme: { accepted: 3_000, delivered: 3_000 },
    });
  });

  it('accept appends between the steps of retention', async () => {
    const channel = await openChannel(await journalFolder());
    const append = (events: readonly NewEvent[]) => channel.call('append', packEvents(events));
    await append(Array.from({ length: 3_000 }, () => sampleEvent()));
    await deliverAll(channel);
    let between = 0;
    for (let more = true; more; ) {
      const before = append([sampleEvent()]);
      const step = channel.call('retain', IMMEDIATELY);
      const after = append([sampleEvent()]);
      await Promise.all([before, after]);
      const { removed, more: left } = await step;
      expect(removed).toBeLessThanOrEqual(300);
      between += 1;
      more = left;
    }
    expect(between).toBeGreaterThanOrEqual(20);
    expect(await channel.call('ledger', undefined)).toMatchObject({ acme: { pending: 2 * between } });
  });
});

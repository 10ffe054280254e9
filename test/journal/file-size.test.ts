import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RetentionPolicy } from '../../src/journal/journal.ts';
import { DATABASE_FILE } from '../../src/journal/sqlite/engine/store-folder.ts';
import { DAY, sampleEvent, settled, T0 } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

const MiB = 1_048_576;
const POLICY: RetentionPolicy = { delivered: 3 * DAY, ids: 8 * DAY, dead: 90 * DAY };
const LATER = T0 + 100 * DAY;

describe('the files under continuous load', () => {
  it('stay bounded: the log by checkpoints, the database by retention', async () => {
    const path = await journalFolder();
    const journal = await openJournal(path);
    const size = (suffix = ''): number => statSync(join(path, DATABASE_FILE + suffix)).size;
    const body = Buffer.alloc(20_000, 1);
    let maxLogSize = 0;
    let written = 0;
    for (let round = 0; round < 6; round += 1) {
      const events = Array.from({ length: 500 }, (_, n) => sampleEvent({ body, lane: `c${n % 20}` }));
      const receipts = await Promise.all(events.map((event) => journal.append(event)));
      written += events.length * body.length;
      maxLogSize = Math.max(maxLogSize, size('-wal'));
      await Promise.all(receipts.map(({ receipt }) => journal.settle(settled.delivered(receipt))));
      for (let more = true; more; ) ({ more } = await journal.retain(POLICY, LATER));
      maxLogSize = Math.max(maxLogSize, size('-wal'));
    }
    expect(written).toBeGreaterThan(55 * MiB);
    // A batch has at most 16 MiB and the log is limited to 32 MiB.
    expect(maxLogSize).toBeLessThan(48 * MiB);
    expect(size()).toBeLessThan(20 * MiB);
    expect(await journal.ledger()).toMatchObject({ acme: { accepted: 3_000, delivered: 3_000 } });
  });

  it('accept appends between the steps of retention', async () => {
    const journal = await openJournal(await journalFolder());
    const events = Array.from({ length: 3_000 }, () => sampleEvent());
    const receipts = await Promise.all(events.map((event) => journal.append(event)));
    await Promise.all(receipts.map(({ receipt }) => journal.settle(settled.delivered(receipt))));
    let between = 0;
    for (let more = true; more; ) {
      const append = journal.append(sampleEvent());
      const step = journal.retain(POLICY, LATER);
      const next = journal.append(sampleEvent());
      await Promise.all([append, next]);
      const { removed, more: left } = await step;
      expect(removed).toBeLessThanOrEqual(300);
      between += 1;
      more = left;
    }
    expect(between).toBeGreaterThanOrEqual(20);
    expect(await journal.count({ states: ['pending'] })).toBe(2 * between);
  });
});

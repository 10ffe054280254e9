import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pointsIssued } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';

const NEWER = Date.parse('2026-10-01T10:00:00Z');
const OLDER = NEWER - 3_600_000;

let harness: DeliveryHarness;
beforeEach(async () => {
  harness = await startDeliveryHarness((config) => {
    Object.assign(config.sources[0]!, { timezone: 'Asia/Kolkata' });
  });
});
afterEach(() => harness.close());

/** Delivers events one after the other. */
async function deliver(...events: object[]) {
  const receipts: string[] = [];
  for (const event of events) receipts.push((await harness.accept(event)).receipt);
  await harness.destinations.start();
  await Promise.all(receipts.map((receipt) => harness.whenSettled(receipt)));
  const records = await Promise.all(receipts.map((receipt) => harness.record(receipt)));
  return records.map(({ notes }) => notes.map(({ code, path }) => `${code} ${path}`));
}

function balance(): unknown {
  const record = harness.simulator.landed({ kind: 'profile' }).at(-1);
  return (record?.entity['loyalty'] as { points?: number } | undefined)?.points;
}

describe('an older balance that arrives after a newer one', () => {
  it.each([
    ['ISO text in UTC', '2026-10-01T09:00:00Z'],
    ['ISO text with an offset', '2026-10-01T14:30:00+05:30'],
    ['text in the zone of the source', '2026-10-01 14:30:00'],
    ['seconds', OLDER / 1_000],
    ['text digits', String(OLDER)],
    ['a printed float', `${OLDER}.0`],
  ])('does not replace it if createdAt is %s', async (_, createdAt) => {
    const notes = await deliver(
      { ...pointsIssued(1, 500), createdAt: NEWER },
      { ...pointsIssued(1, 120), createdAt },
    );

    expect(balance()).toBe(500);
    expect(notes).toEqual([[], []]);
  });

  it.each(['attributes', 'data', 'event', 'body'])(
    'does not replace it if only timeStamp beside %s has its time',
    async (key) => {
      const { createdAt: _, ...older } = pointsIssued(1, 120);
      const notes = await deliver(
        { ...pointsIssued(1, 500), createdAt: NEWER },
        { timeStamp: OLDER, [key]: older },
      );

      expect(balance()).toBe(500);
      expect(notes).toEqual([[], []]);
    },
  );

  it('replaces it if it has no time at all, with a note', async () => {
    const { createdAt: _, ...older } = pointsIssued(1, 120);
    const notes = await deliver({ ...pointsIssued(1, 500), createdAt: NEWER }, older);

    expect(balance()).toBe(120);
    expect(notes).toEqual([[], ['no-event-time timestamp']]);
  });
});

import { describe, expect, it } from 'vitest';
import { LAKE_DELAY_MS, MINUTE_MS, range, startRig, T0, WINDOW_MS } from './reconciler-rig.ts';

const PAST_DELAYS_MS = WINDOW_MS + LAKE_DELAY_MS;

describe('what has landed', () => {
  it('is confirmed, and every delivered event is in one of three sums', async () => {
    const rig = await startRig();
    await rig.deliver(range(1, 21));
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report).toMatchObject({
      state: 'ok',
      differences: [],
      sums: { delivered: 20, landed: 20, refusedLater: 0, unconfirmed: 0 },
      seesLakeUntil: T0 + WINDOW_MS,
      readBack: { events: 20, profiles: 20 },
    });
  });

  it('is not concluded before the delays', async () => {
    const rig = await startRig();
    await rig.deliver(range(1, 3));
    rig.advance(PAST_DELAYS_MS - 1);
    expect((await rig.run()).sums).toMatchObject({ landed: 0, unconfirmed: 2 });
    rig.advance(1);
    expect((await rig.run()).sums).toMatchObject({ landed: 2, unconfirmed: 0 });
  });
});

describe('a young dataflow', () => {
  it('has lost exactly the events that are doubted', async () => {
    const rig = await startRig({ flowAge: 2 * MINUTE_MS });
    const lost = await rig.deliver(range(1, 6));
    rig.advance(4 * MINUTE_MS);
    await rig.deliver(range(6, 16));
    rig.advance(PAST_DELAYS_MS);
    const report = await rig.run();
    expect(report.sums).toEqual({ delivered: 15, landed: 10, refusedLater: 0, unconfirmed: 5 });
    expect(report.open).toEqual({ 'not-in-aep': 5 });
    expect(report.differences.map(({ receipt }) => receipt).toSorted()).toEqual(lost.toSorted());
    expect(new Set(report.differences.map(({ cause }) => cause))).toEqual(new Set(['flow-too-young']));
  });
});

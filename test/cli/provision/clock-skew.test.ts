import { expect, it } from 'vitest';
import { SETTLE_MS, settledAt } from '../../../src/cli/provision/dataflow-settle.ts';
import { setUpByHand } from './verify-rig.ts';
import { setUpTwin } from './twin-rig.ts';

const TEN_MINUTES_MS = 600_000;

it.each([
  ['ahead', TEN_MINUTES_MS],
  ['behind', -TEN_MINUTES_MS],
])(
  'a dataflow that was just made is too young, with the clock of AEP ten minutes %s',
  async (_what, ahead) => {
    const rig = await setUpTwin({ profile: undefined }, { now: () => Date.now() + ahead });
    await rig.apply();
    // A second run knows the time only from AEP.
    const { objects } = await rig.apply();
    const readyAt = settledAt(objects, SETTLE_MS, Date.now());
    expect(readyAt).toBeGreaterThan(Date.now() + SETTLE_MS - 30_000);
    expect(readyAt).toBeLessThanOrEqual(Date.now() + SETTLE_MS);
  },
);

it('verify sees it too', async () => {
  const { verify } = await setUpByHand({ simulator: { now: () => Date.now() - TEN_MINUTES_MS } });
  const found = (await verify({ now: Date.now() })).filter(({ level }) => level === 'fail');
  expect(found.map(({ check }) => check)).toEqual(['event dataflow/main', 'profile dataflow/main']);
});

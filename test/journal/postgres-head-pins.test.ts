import { describe, expect, it } from 'vitest';
import { pinHeads, unpinOvertaken } from '../../src/journal/postgres/engine/head-pins.ts';
import { laneKeyOf } from '../../src/journal/postgres/engine/lane-keys.ts';
import { sha256 } from '../contract/samples.ts';
import { queueRig } from './postgres-queue-rig.ts';

const ANN = sha256('ann');
const joining = (seq: number, overrides: object = {}) => ({
  destination: 'aep',
  lane: ANN,
  laneKey: laneKeyOf(ANN, ''),
  isReplay: false,
  seq,
  ...overrides,
});

describe('the head of a lane that an older event joins', () => {
  const rig = async (...seqs: number[]) => {
    const { put, connect, sql } = await queueRig();
    await put(seqs.map((seq) => ({ lane: ANN, seq })));
    const pinned = async () =>
      (await sql('SELECT seq FROM queue WHERE is_pinned ORDER BY seq')).map(({ seq }) => seq);
    return { put, session: await connect(), pinned };
  };

  it('is pinned, once', async () => {
    const { session, pinned } = await rig(30, 20, 40);
    await pinHeads(session, [joining(25), joining(10), joining(15)]);
    expect(await pinned()).toEqual([20]);
    await pinHeads(session, [joining(5)]);
    expect(await pinned()).toEqual([20]);
  });

  it('is not pinned if it is older, or in another lane, destination or kind of queue', async () => {
    const { session, pinned } = await rig(20);
    await pinHeads(session, []);
    await pinHeads(session, [
      joining(21),
      joining(10, { isReplay: true }),
      joining(10, { destination: 'other' }),
      joining(10, { lane: `${ANN.slice(0, 8)}${sha256('bob').slice(8)}` }),
    ]);
    expect(await pinned()).toEqual([]);
  });

  it('is overtaken by a rerouted one only if it is the oldest', async () => {
    const { put, session, pinned } = await rig(20);
    await put([{ lane: ANN, seq: 30, isPinned: true }]);
    await unpinOvertaken(session, [joining(10)]);
    expect(await pinned()).toEqual([30]);
    await session.client.query('DELETE FROM queue WHERE seq = 20');
    await unpinOvertaken(session, [joining(40)]);
    expect(await pinned()).toEqual([30]);
    await unpinOvertaken(session, [joining(10)]);
    expect(await pinned()).toEqual([]);
  });
});

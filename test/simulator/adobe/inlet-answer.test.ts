/* oxlint-disable unicorn/no-thenable -- `then` is a key of the rules' format */
import { describe, expect, it } from 'vitest';
import type { XactionForm } from '../../../src/simulator/adobe/fault-script.ts';
import { three, withFaults } from './adobe-client.ts';

async function xactions(xaction: XactionForm) {
  const { adobe } = await withFaults({
    on: 'batch',
    then: { xaction, items: { which: 'last', status: 400 } },
  });
  const { responses } = (await adobe.batch(three)).json;
  return responses?.map((item) => ({ id: item.xactionId as string | undefined, status: item.status }));
}
function lastPartOf(id: string | undefined) {
  return id?.split(/[-:]/).at(-1);
}

describe('an answer of an unusual form', () => {
  it('has xactionIds in the observed forms', async () => {
    expect((await xactions('normal'))?.map(({ id }) => lastPartOf(id))).toEqual(['0', '1', '2']);
    expect((await xactions('colon4'))?.map(({ id }) => id?.split(':').slice(1).join())).toEqual([
      '1750,244,0',
      '1750,244,1',
      '1750,244,2',
    ]);
    for (const { id } of (await xactions('colon3')) ?? []) expect(id).toMatch(/^\d+:\d+:\d+$/);
    for (const { id } of (await xactions('uuid')) ?? [])
      expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    for (const { id } of (await xactions('missing')) ?? []) expect(id).toBeUndefined();
    for (const { id } of (await xactions('odd')) ?? []) expect(id).toMatch(/^trx/);
  });

  it('has misleading xactionIds', async () => {
    expect((await xactions('offByOne'))?.map(({ id }) => lastPartOf(id))).toEqual(['1', '2', '3']);
    const mixed = (await xactions('shuffled')) ?? [];
    expect(new Set(mixed.map(({ id }) => lastPartOf(id)))).toEqual(new Set(['0', '1', '2']));
    expect(mixed.find(({ status }) => status === 400)).toMatchObject({ id: expect.stringMatching(/-2$/) });
  });

  it.each([
    ['drop-first', 2],
    ['drop-last', 2],
    ['extra', 4],
    ['empty', 0],
    ['no-responses', undefined],
    ['batch200', 3],
  ] as const)('has the shape %s', async (shape, count) => {
    const { simulator, adobe } = await withFaults({ on: 'batch', then: { shape } });
    const answer = await adobe.batch(three);
    expect(answer.status).toBe(shape === 'batch200' ? 200 : 207);
    expect(answer.json.responses?.length).toBe(count);
    expect(simulator.stats().landed).toBe(3);
  });

  it('is not JSON', async () => {
    const { adobe } = await withFaults({ on: 'batch', then: { shape: 'not-json' } });
    const answer = await adobe.batch(three);
    expect(answer).toMatchObject({ status: 207, json: {} });
    expect(answer.text).not.toBe('');
  });
});

/* oxlint-disable unicorn/no-thenable -- `then` is a key of the rules' format */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type FaultRuleInput, parseFaultRules } from '../../../src/simulator/adobe/fault-script.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';
import { anEvent, aProfile, client, EVENTS, PEOPLE, simulate, xdm } from './adobe-client.ts';

async function get(url: string) {
  const answer = await fetch(url);
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

async function send(method: string, url: string, body?: string) {
  const answer = await fetch(url, { method, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

async function filled() {
  const simulator = await simulate();
  const adobe = await client(simulator);
  await adobe.batch(['a', 'b', 'c'].map((id) => xdm(anEvent(id, `c-${id}`))));
  await adobe.batch([xdm(aProfile('c-a', { loyalty: { points: 3 } }), { datasetId: PEOPLE })]);
  await adobe.single(xdm(anEvent('d', 'c-a', { producedBy: '' })));
  return simulator;
}

describe('the answers', () => {
  it.each(['/_sim/faults', '/_sim/stats', '/_sim/landed', '/_sim/profiles'])(
    '%s ends with a line break',
    async (path) => {
      const { url } = await filled();
      expect(await (await fetch(`${url}${path}`)).text()).toMatch(/\}\n$/);
    },
  );
});

describe('GET /_sim/landed', () => {
  it.each([
    ['', ['a', 'b', 'c', undefined, 'd']],
    ['?id=b', ['b']],
    [`?datasetId=${PEOPLE}`, [undefined]],
    ['?kind=event&dropped=false', ['a', 'b', 'c']],
    ['?dropped=true', ['d']],
    ['?since=3', [undefined, 'd']],
    ['?limit=2', ['a', 'b']],
    ['?since=5', []],
  ])('%s', async (query, expected) => {
    const { url } = await filled();
    const { json } = await get(`${url}/_sim/landed${query}`);
    const records = json.records as { id?: string }[];
    expect(records.map(({ id }) => id)).toEqual(expected);
  });

  it('returns the cursor of the next page', async () => {
    const { url } = await filled();
    expect((await get(`${url}/_sim/landed?limit=3`)).json.next).toBe(3);
    expect((await get(`${url}/_sim/landed?since=3`)).json.next).toBe(5);
    expect((await get(`${url}/_sim/landed?since=5`)).json.next).toBe(5);
  });

  it('shows the metadata of each record', async () => {
    const { url } = await filled();
    const { json } = await get(`${url}/_sim/landed?id=b`);
    expect(json.records).toMatchObject([
      {
        seq: 2,
        kind: 'event',
        datasetId: EVENTS,
        eventType: 'loyalty.pointsIssued',
        identity: { namespace: 'crmId', id: 'c-b' },
        entity: { _id: 'b' },
        duplicates: 0,
        requestId: 'request-1',
        position: 1,
      },
    ]);
  });

  it.each(['?limit=x', '?since=-1', '?kind=other', '?nonsense=1'])('refuses %s', async (query) => {
    const { url } = await filled();
    const answer = await get(`${url}/_sim/landed${query}`);
    expect(answer).toMatchObject({ status: 400, json: { error: 'bad-query' } });
  });
});

describe('the other views', () => {
  it('GET /_sim/stats', async () => {
    const { url } = await filled();
    expect((await get(`${url}/_sim/stats`)).json).toMatchObject({
      requests: { ims: { 200: 1 }, batch: { 207: 2 }, single: { 200: 1 } },
      messages: 5,
      landed: 5,
      distinctIds: 5,
      dropped: 1,
      mints: 1,
      kinds: { event: { landed: 4 }, profile: { landed: 1 }, raw: { landed: 0 } },
    });
  });

  it('GET /_sim/profiles', async () => {
    const { url } = await filled();
    expect((await get(`${url}/_sim/profiles`)).json.total).toBe(3);
    expect((await get(`${url}/_sim/profiles?namespace=crmId&id=c-a`)).json).toMatchObject({
      profiles: [{ events: 1, fragments: [{ datasetId: PEOPLE, entity: { loyalty: { points: 3 } } }] }],
    });
  });

  it('POST /_sim/reset and /_sim/tokens/revoke', async () => {
    const simulator = await filled();
    expect((await send('POST', `${simulator.url}/_sim/tokens/revoke`)).json).toEqual({ revoked: 1 });
    expect((await send('POST', `${simulator.url}/_sim/reset`)).status).toBe(200);
    expect(simulator.stats()).toMatchObject({ landed: 0, activeTokens: 0 });
  });
});

describe('the script of faults', () => {
  it('is set, listed and cleared', async () => {
    const { url } = await simulate();
    const rules: FaultRuleInput[] = [{ on: 'batch', times: 2, then: { status: 500 } }];
    const set = await send('POST', `${url}/_sim/faults`, JSON.stringify(rules));
    expect(set).toMatchObject({ status: 200, json: { faults: [{ rule: rules[0], seen: 0, fired: 0 }] } });
    expect((await get(`${url}/_sim/faults`)).json.faults).toHaveLength(1);
    expect((await send('DELETE', `${url}/_sim/faults`)).json).toEqual({ faults: [] });
    expect((await get(`${url}/_sim/faults`)).json.faults).toEqual([]);
  });

  it.each([
    ['invalid JSON', '[', 'not JSON'],
    ['no array', '{}', 'must be a list'],
    ['an unknown key', '[{"on":"ims","then":{"status":500},"tmies":1}]', '[0]'],
    ['an unknown endpoint', '[{"on":"imz","then":{"status":500}}]', '[0].on'],
    ['an invalid status', '[{"on":"ims","then":{"status":99}}]', '[0].then.status'],
    ['no action', '[{"on":"ims","then":{}}]', '[0].then: must have at least one key'],
    [
      'an empty match',
      '[{"on":"batch","match":{},"then":{"status":500}}]',
      '[0].match: needs at least one of',
    ],
    [
      'items of IMS',
      '[{"on":"ims","then":{"items":{"status":500}}}]',
      '[0]: only answers of an inlet have items',
    ],
    ['a shape of one message', '[{"on":"single","then":{"shape":"empty"}}]', '[0]: xaction and shape'],
    [
      'an invalid selection of items',
      '[{"on":"batch","then":{"items":{"which":"some","status":400}}}]',
      '[0].then.items.which: must be all',
    ],
    ['hang and reset', '[{"on":"batch","then":{"hang":true,"reset":"before"}}]', 'exclude each other'],
  ])('is refused with the path and the fix: %s', async (_, body, expected) => {
    const { url } = await simulate({ faults: [{ on: 'single', then: { status: 500 } }] });
    const answer = await send('POST', `${url}/_sim/faults`, body);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toBe('bad-faults');
    expect((answer.json.issues as string[]).join('\n')).toContain(expected);
    expect((await get(`${url}/_sim/faults`)).json.faults).toHaveLength(1);
  });

  it('is documented with valid rules', async () => {
    const page = await readFile(new URL('../../../docs/simulator.md', import.meta.url), 'utf8');
    const scripts = [...page.matchAll(/```json\n(.*?)```|_sim\/faults --data '(.*?)'/gs)];
    expect(scripts.length).toBeGreaterThan(1);
    for (const [, block, line] of scripts) {
      expect(parseFaultRules(JSON.parse(block ?? line ?? '')).length).toBeGreaterThan(0);
    }
  });

  it('is validated at the start too', async () => {
    const faults = [{ on: 'nowhere', then: { status: 500 } }] as unknown as FaultRuleInput[];
    await expect(startSimulator({ faults })).rejects.toThrow('[0].on');
  });
});

describe('until', () => {
  it('rejects when its signal aborts', async () => {
    const simulator = await simulate();
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(simulator.until(() => false, signal)).rejects.toThrow('cancelled');
  });
});

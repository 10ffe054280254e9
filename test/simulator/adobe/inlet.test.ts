import { describe, expect, it } from 'vitest';
import { anEvent, client, EVENTS, FLOW, ORG, PEOPLE, simulate, xdm } from './adobe-client.ts';

describe('the single endpoint', () => {
  it('accepts a message without reporting its validity', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    const answer = await adobe.single(xdm(anEvent('one')));
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ inletId: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(answer.json.xactionId).toMatch(/^\d+:\d+:\d+$/);
    expect(simulator.landed()).toMatchObject([
      { seq: 1, id: 'one', kind: 'event', datasetId: EVENTS, flowId: FLOW, sandbox: 'dev', dropped: [] },
    ]);
  });

  it('validates before the answer if requested, and does not store an invalid message', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    const good = await adobe.single(xdm(anEvent('one')), '?syncValidation=true');
    expect(good.json).toMatchObject({ syncValidation: { status: 'pass' } });
    const bad = await adobe.single(
      xdm(anEvent('two', 'c', { timestamp: '2026-13-01' })),
      '?syncValidation=true',
    );
    expect(bad.status).toBe(400);
    expect(bad.json).toMatchObject({
      status: 400,
      report: {
        cause: {
          _streamingValidation: [
            { causingExceptions: [{ pointerToViolation: '#/timestamp', keyword: 'format' }] },
          ],
        },
      },
    });
    expect(simulator.landed().map(({ id }) => id)).toEqual(['one']);
  });

  it('ignores the older name of that parameter, as an unknown one', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    const answer = await adobe.single(xdm(anEvent('a b')), '?synchronousValidation=true');
    expect(answer.status).toBe(200);
    expect(simulator.stats()).toMatchObject({ landed: 1, dropped: 1 });
  });

  it('answers an invalid envelope with a problem document', async () => {
    const adobe = await client(await simulate());
    const answer = await adobe.single({ body: {} });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      status: 400,
      report: { message: expect.stringContaining('header') },
    });
  });
});

describe('the batch endpoint', () => {
  it('answers 207 whatever the results of the items', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    const answer = await adobe.batch([xdm(anEvent('a')), { body: {} }, xdm(anEvent('b', 'tara-2'))]);
    expect(answer.status).toBe(207);
    const [first, second, third] = answer.json.responses ?? [];
    expect(first?.xactionId).toMatch(/^[0-9a-f-]{36}-0$/);
    expect(first).not.toHaveProperty('status');
    expect(second).toMatchObject({
      status: 400,
      message: expect.stringContaining("'header' field is mandatory"),
    });
    expect(third?.xactionId).toMatch(/-2$/);
    expect(simulator.landed()).toMatchObject([
      { id: 'a', position: 0 },
      { id: 'b', position: 2 },
    ]);
    expect(simulator.stats()).toMatchObject({ messages: 3, landed: 2, refused: 1 });
  });

  const other = { schemaRef: { id: 'https://ns.adobe.com/tealeaf/schemas/other', contentType: 'x' } };
  it.each([
    ['no schemaRef', xdm(anEvent('x'), { schemaRef: undefined }), 'header.schemaRef'],
    ['no dataset', xdm(anEvent('x'), { datasetId: undefined }), 'header.datasetId'],
    ['no flow', xdm(anEvent('x'), { flowId: undefined }), 'header.flowId'],
    ['no xdmMeta', xdm(anEvent('x'), {}, { xdmMeta: undefined }), 'Message has unknown xdm format'],
    ['two schemas', xdm(anEvent('x'), other), 'Message is invalid'],
    ['no entity', xdm(anEvent('x'), {}, { xdmEntity: [] }), 'Payload body is missing xdmEntity'],
    ['another org', xdm(anEvent('x'), { imsOrgId: 'F00@AdobeOrg' }), 'absent or wrong ims org'],
    ['an invalid org', xdm(anEvent('x'), { imsOrgId: 'F00' }), 'absent or wrong ims org'],
    ['text instead of an object', 'text', 'not a JSON object'],
  ])('refuses an item with %s', async (_, message, expected) => {
    const inlets = [{ id: 'f'.repeat(64), imsOrgId: ORG }];
    const simulator = await simulate({ inlets });
    const adobe = await client(simulator);
    const answer = await adobe.batch([message]);
    expect(answer.json.responses).toMatchObject([
      { status: 400, message: expect.stringContaining(expected) },
    ]);
    expect(simulator.stats()).toMatchObject({ landed: 0, refused: 1 });
  });

  it('reads the flow from the header or the query, and fills in an absent org', async () => {
    const simulator = await simulate({ inlets: [{ id: 'e'.repeat(64), imsOrgId: ORG }] });
    const adobe = await client(simulator);
    const message = xdm(anEvent('x'), { flowId: undefined, imsOrgId: undefined });
    await adobe.batch([message], { 'x-adobe-flow-id': 'flow-of-header' });
    await adobe.single(message, '?x-adobe-flow-id=flow-of-query');
    expect(simulator.landed().map(({ flowId }) => flowId)).toEqual(['flow-of-header', 'flow-of-query']);
  });

  it('accepts raw payloads if configured, with and without an envelope, unvalidated', async () => {
    const simulator = await simulate({ dataType: 'raw' });
    const adobe = await client(simulator);
    const payload = { eventName: 'pointsIssued', eventId: 'raw-1', note: null };
    const enveloped = { header: { flowId: FLOW, imsOrgId: ORG, datasetId: EVENTS }, body: payload };
    const answer = await adobe.batch([enveloped, { ...payload, eventId: 'raw-2' }], {
      'x-adobe-flow-id': FLOW,
    });
    expect(answer.json.responses?.every((item) => item.status === undefined)).toBe(true);
    expect(simulator.landed()).toMatchObject([
      { kind: 'raw', id: 'raw-1', datasetId: EVENTS, dropped: [] },
      { kind: 'raw', id: 'raw-2', dropped: [] },
    ]);
  });

  it('patches the profile on a raw merge and removes the fragment on a delete', async () => {
    const simulator = await simulate({ dataType: 'raw' });
    const adobe = await client(simulator);
    const upsert = (operations: object | undefined, body: object) => ({
      header: { flowId: FLOW, imsOrgId: ORG, datasetId: PEOPLE, ...(operations && { operations }) },
      body,
    });
    const fragments = () => simulator.profile({ namespace: 'capillaryId', id: '88' })?.fragments;
    await adobe.batch([
      upsert({ data: 'merge' }, { customerId: '88', loyalty: { points: 5, tier: 'Silver' }, tags: ['a'] }),
      upsert({ data: 'merge' }, { customerId: '88', loyalty: { points: 9 }, tags: ['b'] }),
      upsert(undefined, { customerId: '88', loyalty: {} }),
    ]);
    expect(fragments()).toMatchObject([
      {
        entity: { customerId: '88', loyalty: { points: 9, tier: 'Silver' }, tags: ['b'] },
        writes: 2,
      },
    ]);
    await adobe.batch([upsert({ data: 'delete' }, { customerId: '88' })]);
    expect(fragments()).toEqual([]);
  });

  it.each([
    ['an unknown operation', { data: 'patch' }, 'data must be'],
    ['a change of identities', { data: 'merge', identity: 'merge' }, 'identity must be create'],
    ['identities without a dataset', { data: 'merge', identity: 'create' }, 'needs an identityDatasetId'],
    ['operations that are not an object', 'merge', 'must be an object'],
    ['a merge without a person', { data: 'merge' }, 'without an identity'],
  ])('drops %s without notifying the sender', async (_what, operations, expected) => {
    const simulator = await simulate({ dataType: 'raw' });
    const adobe = await client(simulator);
    const header = { flowId: FLOW, imsOrgId: ORG, datasetId: PEOPLE, operations };
    await adobe.batch([{ header, body: { eventId: 'r' } }]);
    expect(simulator.landed()[0]?.dropped).toEqual([expect.stringContaining(expected)]);
  });

  it('accepts raw payloads only for the raw datasets', async () => {
    const adobe = await client(await simulate({ rawDatasets: ['raw-set'] }));
    const messages = ['raw-set', EVENTS].map((datasetId) => ({
      header: { flowId: FLOW, datasetId },
      body: { eventId: 'r' },
    }));
    const answer = await adobe.batch(messages);
    expect(answer.json.responses?.map((item) => item.status)).toEqual([undefined, 400]);
  });
});

describe('a request refused as a whole', () => {
  it('without a token, with an unknown one and with a revoked one', async () => {
    const simulator = await simulate();
    const adobe = await client(simulator);
    const messages = [xdm(anEvent('x'))];
    const empty = await adobe.batch(messages, { authorization: '' });
    expect(empty.json).toMatchObject({ status: '401', title: 'Authorization' });
    expect(empty.json.report).toMatchObject({ message: expect.stringContaining('token is empty') });
    expect((await adobe.batch(messages, { authorization: 'Bearer unknown' })).status).toBe(401);
    expect(simulator.revokeTokens()).toBe(1);
    expect((await adobe.batch(messages)).status).toBe(401);
    expect(simulator.stats()).toMatchObject({ landed: 0, messages: 0, requests: { batch: { 401: 3 } } });
  });

  it('with an expired token', async () => {
    let now = Date.parse('2026-06-01T00:00:00Z');
    const simulator = await simulate({ now: () => now, tokenTtlMs: 60_000 });
    const adobe = await client(simulator);
    now += 59_999;
    expect((await adobe.single(xdm(anEvent('x')))).status).toBe(200);
    now += 1;
    const late = await adobe.single(xdm(anEvent('y')));
    expect(late.json.report).toMatchObject({ message: expect.stringContaining('expired') });
    expect(simulator.stats().activeTokens).toBe(0);
  });

  it('but not without a token if none is required', async () => {
    const simulator = await simulate({ requireAuth: false });
    const adobe = await client(simulator);
    expect((await adobe.batch([xdm(anEvent('x'))], { authorization: '' })).status).toBe(207);
  });

  it.each([
    ['invalid JSON', '{', {}, 400],
    ['no messages', '{"messages":[]}', {}, 400],
    ['another content type', '{"messages":[{}]}', { 'content-type': 'text/plain' }, 415],
    ['more than 1 MB', `{"messages":["${'x'.repeat(1_000_000)}"]}`, {}, 413],
  ])('with %s', async (_, body, headers, status) => {
    const adobe = await client(await simulate());
    const answer = await adobe.text(body, headers);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ status });
  });

  it('to an inlet that does not exist', async () => {
    const simulator = await simulate({ inlets: [{ id: 'known' }] });
    const adobe = await client(simulator);
    expect((await adobe.batch([xdm(anEvent('x'))])).status).toBe(207);
    const answer = await fetch(simulator.inletUrl('unknown'), { method: 'POST', body: '{}' });
    expect(answer.status).toBe(404);
  });
});

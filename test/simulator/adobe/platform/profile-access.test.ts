import { describe, expect, it } from 'vitest';
import { aProfile, anEvent, type Json } from '../adobe-client.ts';
import { setUp } from './flow-rig.ts';

const ACCESS = '/data/core/ups/access/entities';

function profileQuery(id: string, namespace = 'crmId', more = ''): string {
  return `${ACCESS}?schema.name=_xdm.context.profile&entityId=${id}&entityIdNS=${namespace}${more}`;
}

function eventsQuery(id: string, more = ''): string {
  const related = `relatedSchema.name=_xdm.context.profile&relatedEntityId=${id}&relatedEntityIdNS=crmId`;
  return `${ACCESS}?schema.name=_xdm.context.experienceevent&${related}${more}`;
}

function entityOf(answer: { readonly json: Json }): Json {
  const [entity] = Object.values(answer.json) as Json[];
  return entity as Json;
}

function named(customer: string, name: Json, identities: Json = {}): Json {
  const { identityMap } = aProfile(customer) as { identityMap: Json };
  return { identityMap: { ...identityMap, ...identities }, person: { name } };
}

describe('a profile', () => {
  it('has the fragments of all datasets, by any of its identities', async () => {
    const rig = await setUp({ kind: 'profile' });
    const second = await rig.addFlow('profile');
    const email = { Email: [{ id: 'tara@example.org' }] };
    await rig.send(rig.envelope(named('tara-1', { firstName: 'Tara', lastName: 'Old' }, email)));
    await rig.settled();
    await rig.send(rig.envelope(named('tara-1', { lastName: 'New' }), {}, second));
    await rig.settled();
    const answer = await rig.adobe.get(profileQuery('tara-1'));
    expect(answer.status).toBe(200);
    expect(entityOf(answer)).toMatchObject({
      entity: {
        person: { name: { firstName: 'Tara', lastName: 'New' } },
        identityMap: { crmId: [{ id: 'tara-1' }], Email: [{ id: 'tara@example.org' }] },
      },
      sources: [rig.datasetId, second.datasetId],
      lastModifiedAt: expect.stringMatching(/Z$/),
    });
    const [xid] = Object.keys(answer.json);
    expect(entityOf(answer)['entityId']).toBe(xid);
    const byEmail = await rig.adobe.get(profileQuery('tara@example.org', 'email'));
    expect(entityOf(byEmail)).toMatchObject({ entity: { person: { name: { firstName: 'Tara' } } } });
  });

  it('has only the last record of a dataset, and the fields that are asked for', async () => {
    const rig = await setUp({ kind: 'profile' });
    await rig.send(rig.envelope(named('c', { firstName: 'Tara' })));
    await rig.settled();
    await rig.send(rig.envelope(named('c', { lastName: 'Rao', middleName: 'K' })));
    await rig.settled();
    const answer = await rig.adobe.get(profileQuery('c', 'crmId', '&fields=person.name.lastName,nothing'));
    expect(entityOf(answer)['entity']).toEqual({ person: { name: { lastName: 'Rao' } } });
  });

  it('is not found without a record in a dataset that is enabled for Profile', async () => {
    const rig = await setUp({ kind: 'profile', tags: {}, isUnion: false });
    await rig.send(rig.envelope(named('c', { firstName: 'Tara' })));
    await rig.settled();
    expect(rig.simulator.lake()).toHaveLength(1);
    const answer = await rig.adobe.get(profileQuery('c'));
    expect(answer).toMatchObject({ status: 404, json: { statusCode: '404' } });
  });

  it.each([
    ['no namespace', `${ACCESS}?schema.name=_xdm.context.profile&entityId=c`, 400],
    ['an unknown namespace', profileQuery('c', 'none'), 422],
    ['another schema', `${ACCESS}?schema.name=other`, 400],
    ['no related schema', `${ACCESS}?schema.name=_xdm.context.experienceevent`, 400],
  ])('is not looked for with %s', async (_name, query, status) => {
    const { adobe } = await setUp();
    const answer = await adobe.get(query);
    expect(answer).toMatchObject({ status, json: { statusCode: String(status) } });
  });
});

describe('the primary identity', () => {
  /** A profile flow whose schema marks `person.name.firstName` as the primary identity. */
  async function byField() {
    const rig = await setUp({ kind: 'profile' });
    const sandbox = rig.simulator.platform.sandbox('dev');
    sandbox?.descriptors.set('d', {
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': rig.schemaId,
      'xdm:sourceProperty': '/person/name/firstName',
      'xdm:namespace': 'crmId',
      'xdm:isPrimary': true,
    });
    if (sandbox) sandbox.registryRevision += 1;
    return rig;
  }

  it('can be a field of the schema', async () => {
    const rig = await byField();
    await rig.send(rig.envelope({ person: { name: { firstName: 'c-1', lastName: 'Rao' } } }));
    await rig.settled();
    const answer = await rig.adobe.get(profileQuery('c-1'));
    expect(entityOf(answer)).toMatchObject({ entity: { person: { name: { lastName: 'Rao' } } } });
  });

  it('is not in the identityMap then', async () => {
    const rig = await byField();
    await rig.send(rig.envelope(named('c', { firstName: 'c-1' })));
    await rig.settled();
    expect(rig.simulator.landed()).toMatchObject([
      {
        fate: { inLake: true, inProfile: false },
        dropped: [expect.stringContaining('a field of the schema')],
      },
    ]);
  });
});

describe('the events of a profile', () => {
  it('are those that Profile has, in the order of their times and in pages', async () => {
    const rig = await setUp();
    const at = (time: string) => ({ timestamp: `2026-03-0${time}T00:00:00Z` });
    await rig.sendAll([
      rig.envelope(anEvent('b', 'c', at('2'))),
      rig.envelope(anEvent('a', 'c', at('1'))),
      rig.envelope(anEvent('d', 'c', at('4'))),
      rig.envelope(anEvent('other', 'someone')),
      rig.envelope(anEvent('large', 'c', { eventType: 'x'.repeat(10_000) })),
    ]);
    await rig.settled();
    await rig.send(rig.envelope(anEvent('a', 'c', { ...at('1'), eventType: 'corrected' })));
    await rig.settled();
    const ids = async (more: string) => {
      const { json } = await rig.adobe.get(eventsQuery('c', more));
      return (json['children'] as Json[]).map(({ entityId }) => entityId);
    };
    expect(await ids('')).toEqual(['a', 'b', 'd']);
    expect(await ids('&orderby=-timestamp&limit=2')).toEqual(['d', 'b']);
    expect(await ids(`&startTime=${Date.parse('2026-03-02')}&endTime=${Date.parse('2026-03-04')}`)).toEqual([
      'b',
    ]);
    const first = await rig.adobe.get(eventsQuery('c', '&limit=2&fields=eventType'));
    expect(first.json).toMatchObject({
      _page: { count: 2, start: 'a', next: 'd' },
      children: [{ entity: { eventType: 'loyalty.pointsIssued' }, timestamp: Date.parse('2026-03-01') }, {}],
    });
    const { next } = first.json['_links'] as { next: { href: string } };
    const second = await rig.adobe.get(`/data/core/ups/access${next.href}`);
    expect(second.json).toMatchObject({ _page: { count: 1, next: '' }, children: [{ entityId: 'd' }] });
    // The lake keeps both copies, and the event that is too large for Profile.
    expect(rig.simulator.lake()).toHaveLength(6);
  });

  it('are none for somebody unknown', async () => {
    const { adobe } = await setUp();
    expect((await adobe.get(eventsQuery('nobody'))).json).toMatchObject({
      _page: { count: 0 },
      children: [],
    });
  });
});

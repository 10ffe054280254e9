import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
  const count = (source: string, eventName: string, fields: Record<string, string>) =>
    rig.coverage.count(
      { source, eventName, replays: 0 },
      { mapping: 'own', fields: new Map(Object.entries(fields)) },
    );
  count('acme', 'transactionAdded', { 'data.outlierStatus': 'NORMAL', 'data.enteredBy.id': '40' });
  count('acme', 'transactionAdded', { 'data.enteredBy.id': '41' });
  count('beta', 'customerAdded', {});
});
afterAll(() => rig.close());

it('lists unread fields by event name, most frequent first', async () => {
  const { status, body } = await rig.get('/admin/v1/coverage');
  expect(status).toBe(200);
  expect(body).toEqual({
    since: '2026-01-31T08:00:00.000Z',
    events: [
      {
        source: 'acme',
        eventName: 'transactionAdded',
        mapping: 'own',
        events: 2,
        fields: [
          { path: 'data.enteredBy.id', count: 2, example: '99' },
          { path: 'data.outlierStatus', count: 1, example: 'XXXXXX' },
        ],
        more: 0,
      },
      { source: 'beta', eventName: 'customerAdded', mapping: 'own', events: 1, fields: [], more: 0 },
    ],
    sharedContacts: [],
    moreSharedContacts: 0,
  });
});

it('filters by source and event name', async () => {
  const namesOf = async (query: string): Promise<string[]> =>
    (await rig.get(`/admin/v1/coverage?${query}`)).body.events.map((of: { source: string }) => of.source);
  expect(await namesOf('source=beta')).toEqual(['beta']);
  expect(await namesOf('eventName=transactionAdded')).toEqual(['acme']);
  expect(await namesOf('eventName=transactionAdded&source=beta')).toEqual([]);
});

it('lists the newest shared contacts, masked, and how many more there are', async () => {
  const share = async (source: string, key: number, at: number): Promise<void> => {
    rig.state.now = at;
    for (const lane of ['1', '2'])
      await rig.journal.countContacts({
        destination: 'aep',
        source,
        customers: [{ lane, contacts: [{ key, kind: 'email', masked: 'b***@store.example.com' }] }],
        limit: 1,
      });
  };
  const start = Date.parse('2026-01-31T08:00:00Z');
  for (let key = 1; key <= 102; key += 1) await share('acme', key, start + key);
  await share('beta', 200, start);
  const ofAcme = (await rig.get('/admin/v1/coverage?source=acme')).body;
  expect(ofAcme.sharedContacts).toHaveLength(100);
  expect(ofAcme.sharedContacts[0]).toEqual({
    source: 'acme',
    destination: 'aep',
    kind: 'email',
    contact: 'b***@store.example.com',
    since: '2026-01-31T08:00:00.102Z',
  });
  expect(ofAcme.moreSharedContacts).toBe(2);
  const ofBeta = (await rig.get('/admin/v1/coverage?source=beta')).body;
  expect([ofBeta.sharedContacts.length, ofBeta.moreSharedContacts]).toEqual([1, 0]);
});

it('refuses unknown parameters and requests without the token', async () => {
  expect((await rig.get('/admin/v1/coverage?event=a')).status).toBe(400);
  rig.state.token = 'secret';
  expect((await rig.get('/admin/v1/coverage')).status).toBe(401);
  rig.state.token = undefined;
});

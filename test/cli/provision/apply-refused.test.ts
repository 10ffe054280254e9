import { expect, it } from 'vitest';
import { stopError, stopOf } from '../../../src/cli/provision/provision-stop.ts';
import { XDM_CLASSES } from '../../../src/xdm/standard-groups.ts';
import type { Json } from '../../simulator/adobe/adobe-client.ts';
import { platformClient } from '../../simulator/adobe/platform/platform-client.ts';
import type { FaultRuleInput } from '../../../src/simulator/adobe/fault-script.ts';
import { countsOf, type Destination, setUpTwin, type TwinRig } from './twin-rig.ts';

/** The text with which the command ends. */
async function stopOfRun(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const stop = stopOf('aep', error);
  if (stop === undefined) throw new Error('it was expected to stop', { cause: error });
  return stopError(stop).message;
}

const READ = ['View Schemas', 'View Identity Namespaces', 'View Datasets', 'View Sources'] as const;
const WRITE = ['Manage Schemas', 'Manage Identity Namespaces', 'Manage Datasets', 'Manage Sources'] as const;

/** Manage includes View. */
function implying(permission: string): string {
  return permission.replace('View', 'Manage');
}

it.each([
  ['Manage Identity Namespaces', 'namespace capillaryId', 'POST /data/core/idnamespace/identities'],
  [
    'Manage Schemas',
    'field group Capillary loyalty event',
    'POST /data/foundation/schemaregistry/tenant/fieldgroups',
  ],
  ['Manage Datasets', 'dataset Capillary loyalty events', 'POST /data/foundation/catalog/dataSets'],
  ['Manage Sources', 'connection Capillary relay', 'POST /data/foundation/flowservice/connections'],
  ['View Schemas', 'tenant id', 'GET /data/foundation/schemaregistry/stats'],
  ['View Identity Namespaces', 'namespace capillaryId', 'GET /data/core/idnamespace/identities'],
  ['View Datasets', 'dataset Capillary loyalty events', 'GET /data/foundation/catalog/dataSets'],
  ['View Sources', 'connection Capillary relay', 'GET /data/foundation/flowservice/connections'],
] as const)('without %s it stops at the %s, and names the permission', async (permission, object, call) => {
  const granted = [...READ, ...WRITE].filter((name) => name !== permission && name !== implying(permission));
  const rig = await setUpTwin({}, { platform: { permissions: { 'client-1': granted } } });
  const text = await stopOfRun(rig.apply());
  expect(text).toContain(`destination aep stopped at the ${object}`);
  expect(text).toContain(`${call} → 403`);
  expect(text).toMatch(/x-request-id [\w-]+/);
  expect(text).toContain(`lacks the permission ${permission}`);
  expect(text).toContain(`Permissions > Roles, add ${permission} to the role`);
  expect(text).toContain('run the same command again: it continues at this step');
});

it('plans with permissions to view alone', async () => {
  const rig = await setUpTwin({}, { platform: { permissions: { 'client-1': READ } } });
  await rig.plan();
  expect(rig.writes()).toBe(0);
});

it('continues where it stopped, once the permission is there', async () => {
  const permissions = { 'client-1': [...READ, 'Manage Schemas', 'Manage Identity Namespaces'] as const };
  const rig = await setUpTwin({}, { platform: { permissions } });
  await expect(rig.apply()).rejects.toThrow('403');
  expect(countsOf(rig.sandbox)).toMatchObject({ schemas: 2, datasets: 0 });
  Object.assign(permissions, { 'client-1': [...READ, ...WRITE] });
  const { objects } = await rig.apply();
  expect(objects.find(({ key }) => key === 'schema:event')?.outcome).toBe('found');
  expect(countsOf(rig.sandbox)).toMatchObject({ schemas: 2, datasets: 2, flows: 2 });
});

type Refusal = readonly [what: string, rig: () => Promise<TwinRig>, texts: readonly string[]];

function withFault(then: FaultRuleInput['then'], keys: Destination = {}): () => Promise<TwinRig> {
  return () =>
    setUpTwin(keys, { faults: [{ on: 'platform', match: { path: '/data/foundation/catalog' }, then }] });
}

it.each<Refusal>([
  [
    'a credential without a product profile',
    () => setUpTwin({}, { platform: { permissions: { 'client-1': 'none' } } }),
    ['403 403025', 'AEP-Default-All-Users', 'Admin Console'],
  ],
  [
    'a sandbox that does not exist',
    () => setUpTwin({ sandbox: 'nowhere' }, { platform: { sandboxes: ['dev'] } }),
    ['403', 'the sandbox nowhere', 'Permissions > Roles'],
  ],
  [
    'a wrong client secret',
    () => setUpTwin({}, { credentials: [{ clientId: 'client-1', secrets: ['another-secret-of-it'] }] }),
    ['token of IMS', 'invalid_client', 'compare ims.clientId'],
  ],
  [
    'an IMS that fails',
    () => setUpTwin({}, { faults: [{ on: 'ims', then: { status: 503 } }] }),
    ['token of IMS', 'unavailable', 'IMS is failing', 'run the same command again'],
  ],
  [
    'a token that the gateway refuses',
    withFault({ status: 401, body: { error_code: '401013', message: 'Oauth token is not valid' } }),
    ['dataset Capillary loyalty events', '401 401013', 'compare imsOrgId'],
  ],
  [
    'too many calls',
    withFault({ status: 429, retryAfter: 600 }),
    ['429 429050', 'Adobe limits the calls', 'run the same command again'],
  ],
  [
    'a service that fails',
    withFault({ status: 500 }),
    ['dataset Capillary loyalty events', '500 500000', 'run the same command again'],
  ],
  [
    'a proxy in place of Adobe',
    withFault({ foreign: 'html', status: 403 }),
    ['403', 'Please sign in to the network', "not Adobe's answer", 'check the proxy'],
  ],
  [
    'a sign-in page with status 200',
    withFault({ foreign: 'html', status: 200 }),
    ['Please sign in to the network', "not Adobe's answer", 'check the proxy'],
  ],
  ['a broken connection', withFault({ reset: 'before' }), ['reset', 'check name resolution']],
])('%s is named, with where it stopped and how to go on', async (_what, setUp, texts) => {
  const rig = await setUp();
  const text = await stopOfRun(rig.apply());
  for (const part of texts) expect(text).toContain(part);
  expect(text).not.toContain('p8e-secret');
});

it('waits as long as a 429 asks for, and goes on', async () => {
  const rig = await setUpTwin(
    {},
    { faults: [{ on: 'platform', times: 3, after: 4, then: { status: 429, retryAfter: 1 } }] },
  );
  await rig.apply();
  expect(countsOf(rig.sandbox)).toMatchObject({ flows: 2 });
});

it('a field that another schema for Profile has with another type is named, with what to do', async () => {
  const rig = await setUpTwin({ profile: undefined });
  const adobe = await platformClient(rig.simulator);
  const post = (kind: string, body: Json) =>
    adobe.post(`/data/foundation/schemaregistry/tenant/${kind}`, { type: 'object', ...body });
  const ofTenant = { type: 'object', properties: { capillary: { type: 'string', title: 'other' } } };
  const group = await post('fieldgroups', {
    title: 'fields of a colleague',
    'meta:intendedToExtend': [XDM_CLASSES.event],
    definitions: { customFields: { type: 'object', properties: { _demo: ofTenant } } },
    allOf: [{ $ref: '#/definitions/customFields', type: 'object', 'meta:xdmType': 'object' }],
  });
  const schema = await post('schemas', {
    title: 'schema of a colleague',
    'meta:immutableTags': ['union'],
    allOf: [{ $ref: XDM_CLASSES.event }, { $ref: group.json['$id'] }],
  });
  expect(schema.status).toBe(201);
  const text = await stopOfRun(rig.apply());
  expect(text).toContain('XDM-1413-400');
  expect(text).toContain('rename or remove it there');
});

it('a title that another object has is named', async () => {
  const rig = await setUpTwin();
  const title = 'Capillary loyalty events [capillary-aep-relay:aep]';
  const text = await stopOfRun(
    rig.apply((client) => ({
      ...client,
      // A list that does not show it, such as that of an account without rights to it.
      get: async (path, options) => {
        if (path.includes('/tenant/schemas?')) return { ok: true, status: 200, body: { results: [] } };
        return client.get(path, options);
      },
      post: async (path, body, options) => {
        if (path.endsWith('/tenant/schemas')) {
          await client.post(path, { ...(body as object), title }, options);
        }
        return client.post(path, body, options);
      },
    })),
  );
  expect(text).toContain(`stopped at the schema ${title}`);
  expect(text).toContain('XDM-1521-400');
  expect(text).toContain('has the name already: rename it in AEP');
});

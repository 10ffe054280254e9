import { describe, expect, it } from 'vitest';
import { createFlowObject, readFlowObject } from '../../../src/adobe/platform/flow-service.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { PERMISSIONS } from '../../../src/simulator/adobe/platform/permissions.ts';
import { startServer } from '../../adobe/scripted-server.ts';
import { type Drift, makeFlow, ORG, problems, setUpByHand, tokensOf } from './verify-rig.ts';

/** The findings that are not ok, after a set-up with this drift. */
async function drifted(drift: Drift): Promise<string[]> {
  const { verify } = await setUpByHand(drift);
  return problems(await verify());
}

it('finds nothing wrong with a set-up by hand that follows the instructions', async () => {
  const { verify } = await setUpByHand();
  const findings = await verify();
  expect(problems(findings)).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual([
    'platform/main',
    'tenant/main',
    'namespaces/main',
    'event schema/main',
    'profile schema/main',
    'dataset/main',
    'dataset/main',
    'event dataflow/main',
    'profile dataflow/main',
    'connection/main',
    'event batches/main',
    'event runs/main',
    'profile batches/main',
    'profile runs/main',
  ]);
});

describe('access', () => {
  it('says that the token is refused, and goes on with nothing else', async () => {
    const { simulator, verify } = await setUpByHand();
    simulator.revokeTokens();
    expect(problems(await verify())).toEqual([
      expect.stringMatching(/^fail platform\/main GET .* 401 401013/),
    ]);
  });

  it('says that IMS gives no token', async () => {
    const { verify } = await setUpByHand();
    const tokens = {
      get: async () =>
        ({
          ok: false,
          code: 'invalid_client_secret',
          detail: 'no',
          permanent: true,
          retryAfterMs: 0,
        }) as const,
      reject: () => undefined,
    };
    const found = (await verify({ as: { tokens } })).filter(({ level }) => level !== 'ok');
    expect(found).toMatchObject([
      { check: 'token/main', level: 'fail', fix: expect.stringContaining('copy a current client secret') },
    ]);
  });

  it('says that the sandbox is not one of the account', async () => {
    const { verify } = await setUpByHand();
    const found = (await verify({ as: { sandbox: 'prod' } })).filter(({ level }) => level !== 'ok');
    expect(found).toMatchObject([
      {
        check: 'access/main',
        detail: expect.stringContaining('does not include the sandbox prod'),
        fix: expect.stringContaining('add the sandbox prod to the role'),
      },
    ]);
  });

  it('says that the gateway does not know the API key', async () => {
    const { simulator, verify } = await setUpByHand();
    const foreign = await verify({
      as: { clientId: 'client-2', tokens: await tokensOf(simulator, 'client-1') },
    });
    expect(foreign).toMatchObject([
      { check: 'access/main', fix: expect.stringContaining('compare ims.clientId with the credential') },
    ]);
  });

  it('says that something else answers', async () => {
    const { verify } = await setUpByHand();
    const proxy = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>');
    });
    expect(await verify({ as: { url: proxy.origin } })).toMatchObject([
      { check: 'platform/main', level: 'fail', fix: expect.stringContaining('compare platform.url') },
    ]);
  });

  it.each([
    ['View Schemas', ['event schema/main', 'profile schema/main', 'tenant/main', 'platform/main']],
    ['View Identity Namespaces', ['namespaces/main']],
    ['View Datasets', ['dataset/main', 'event batches/main', 'profile batches/main']],
    ['View Sources', ['event dataflow/main', 'profile dataflow/main', 'connection/main']],
  ] as const)('names the missing permission %s once, and checks the rest', async (permission, unread) => {
    const permissions = PERMISSIONS.filter((name) => !name.endsWith(permission.replace('View', '')));
    const { verify } = await setUpByHand({
      simulator: {
        platform: {
          tenantId: 'acme',
          imsOrgId: ORG,
          sandboxes: ['dev'],
          permissions: { 'client-2': permissions },
        },
      },
    });
    const findings = await verify({ as: { clientId: 'client-2' } });
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([
      {
        check: 'access/main',
        level: 'fail',
        detail: expect.stringContaining(
          `the role of the technical account lacks the permission ${permission}`,
        ),
        fix: `in AEP, Permissions > Roles, add ${permission} to the role of the credential's technical account, for the sandbox dev`,
      },
    ]);
    const checks = findings.map(({ check }) => check);
    for (const check of unread) expect(checks).not.toContain(check);
    expect(checks.length).toBeGreaterThan(5);
  });

  it('names the product profile', async () => {
    const { verify } = await setUpByHand({
      simulator: {
        platform: {
          tenantId: 'acme',
          imsOrgId: ORG,
          sandboxes: ['dev'],
          permissions: { 'client-2': 'none' },
        },
      },
    });
    const found = await verify({ as: { clientId: 'client-2' } });
    expect(found).toMatchObject([
      { check: 'access/main', level: 'fail', fix: expect.stringContaining('AEP-Default-All-Users') },
    ]);
  });
});

describe('namespaces', () => {
  it.each<[string, Drift['namespaces'], string]>([
    [
      'that are missing',
      { capillaryId: 'Cross_device' },
      'fail namespaces/main identity.namespaces.externalId: the sandbox has no namespace with the code loyaltyId',
    ],
    [
      'in another case',
      { capillaryid: 'Cross_device', loyaltyId: 'Non_people' },
      'fail namespaces/main identity.namespaces.customerId: the sandbox has no namespace capillaryId, but capillaryid; codes are case-sensitive',
    ],
    [
      'of external ids that are of persons',
      { capillaryId: 'Cross_device', loyaltyId: 'Cross_device' },
      'warn namespaces/main identity.namespaces.externalId: loyaltyId is of the type CROSS_DEVICE, not Non_people: a customer can have several',
    ],
    [
      'of the primary identity that are not of persons',
      { capillaryId: 'Non_people', loyaltyId: 'Non_people' },
      'fail namespaces/main identity.namespaces.customerId: capillaryId is of the type Non_people, not Cross_device; AEP does not identify persons by it',
    ],
  ])('%s', async (_what, namespaces, text) => {
    const found = await drifted(namespaces === undefined ? {} : { namespaces });
    expect(found).toEqual([expect.stringContaining(text)]);
  });
});

function withField(body: JsonObject, change: (capillary: JsonObject) => void): JsonObject {
  const copy = structuredClone(body) as JsonObject & {
    definitions: { customFields: { properties: { _acme: { properties: { capillary: JsonObject } } } } };
  };
  change(copy.definitions.customFields.properties._acme.properties.capillary['properties'] as JsonObject);
  return copy;
}

describe('schemas', () => {
  it('of the wrong class', async () => {
    const { verify, destination } = await setUpByHand();
    const { events, profile } = destination;
    if (profile === undefined) throw new Error('no profile');
    const exchanged = {
      ...destination,
      events: { ...events, schemaId: profile.schemaId },
      profile: { ...profile, schemaId: events.schemaId },
    };
    const found = problems(await verify({ destination: exchanged }));
    expect(found).toContainEqual(
      'fail event schema/main Loyalty profiles is of the class XDM Individual Profile, not XDM ExperienceEvent',
    );
    expect(found).toContainEqual(
      'fail profile schema/main Loyalty events is of the class XDM ExperienceEvent, not XDM Individual Profile',
    );
  });

  it('that do not exist', async () => {
    const { verify, destination } = await setUpByHand();
    const events = { ...destination.events, schemaId: 'https://ns.adobe.com/acme/schemas/0f1e2d3c' };
    expect(problems(await verify({ destination: { ...destination, events } }))).toContainEqual(
      'fail event schema/main events.schemaId: the sandbox dev has no schema https://ns.adobe.com/acme/schemas/0f1e2d3c',
    );
  });

  it('that are not enabled for Profile', async () => {
    const found = await drifted({
      schema: ({ 'meta:immutableTags': _tags, ...body }) => body,
      tags: [],
    });
    expect(found).toContainEqual(
      'fail event schema/main Loyalty events is not enabled for Profile (tag union): the inlet drops its records',
    );
  });

  it('that lack one of Adobe’s field groups', async () => {
    const found = await drifted({
      withoutGroups: ['https://ns.adobe.com/xdm/context/experienceevent-commerce'],
    });
    expect(found).toEqual([
      'fail event schema/main Loyalty events lacks the field group Commerce Details (commerce, productListItems): records with it are refused after they were accepted',
    ]);
  });

  it('that lack consents while the feature is on, which the fix names', async () => {
    const { verify } = await setUpByHand({
      withoutGroups: ['https://ns.adobe.com/xdm/mixins/profile-consents'],
    });
    const [finding, ...others] = (await verify()).filter(({ level }) => level !== 'ok');
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('lacks the field group Consent and Preference Details (consents)'),
      fix: 'add the field group Consent and Preference Details (https://ns.adobe.com/xdm/mixins/profile-consents) to the schema in AEP, or set schemaFeatures.consents: false',
    });
  });

  it('whose copy of Loyalty Details is older', async () => {
    const { verify } = await setUpByHand({
      simulator: { platform: { tenantId: 'acme', imsOrgId: ORG, sandboxes: ['dev'], loyalty2026: false } },
    });
    const found = (await verify()).filter(({ level }) => level !== 'ok');
    expect(found).toMatchObject([
      {
        level: 'fail',
        check: 'profile schema/main',
        detail: expect.stringMatching(/lacks 13 fields loyalty\.nextTier, .* and 7 more of Loyalty Details/),
        fix: expect.stringContaining('set schemaFeatures.loyalty2026: false'),
      },
    ]);
  });

  it('with fields that the configuration does not use', async () => {
    expect(await drifted({ config: { schemaFeatures: { loyalty2026: true, sourceAudit: true } } })).toEqual([
      'warn features/main the schemas have fields that are not written: schemaFeatures.placeContext is false',
    ]);
  });

  it('that lack one tenant field, or have it with another type', async () => {
    const found = await drifted({
      tenantGroup: (body) =>
        withField(body, (fields) => {
          delete fields['retroBill'];
          if ('customerId' in fields) fields['customerId'] = { type: 'integer' };
        }),
    });
    expect(found).toEqual([
      'fail event schema/main Loyalty events lacks the field _acme.capillary.retroBill of Capillary loyalty event: records with it are refused after they were accepted',
      'fail event schema/main Loyalty events: _acme.capillary.customerId is integer, and the relay writes string',
    ]);
  });

  it('without the tenant’s field group', async () => {
    expect(await drifted({ tenantGroup: () => undefined })).toEqual([
      'fail event schema/main Loyalty events lacks the field _acme of Capillary loyalty event: records with it are refused after they were accepted',
      'fail profile schema/main Loyalty profiles lacks the field _acme of Capillary loyalty profile: records with it are refused after they were accepted',
    ]);
  });

  it('with a primary identity that conflicts with the identityMap', async () => {
    const { client, destination, verify } = await setUpByHand();
    await client.post('/data/foundation/schemaregistry/tenant/descriptors', {
      '@type': 'xdm:descriptorIdentity',
      'xdm:sourceSchema': destination.events.schemaId,
      'xdm:sourceVersion': 1,
      'xdm:sourceProperty': '/_acme/capillary/customerId',
      'xdm:namespace': 'capillaryId',
      'xdm:property': 'xdm:code',
      'xdm:isPrimary': true,
    });
    expect(problems(await verify())).toContainEqual(
      expect.stringContaining(
        'fail event schema/main Loyalty events marks /_acme/capillary/customerId as the primary identity (capillaryId)',
      ),
    );
  });

  it('of another tenant', async () => {
    expect(await drifted({ config: { tenant: '_other' } })).toContainEqual(
      "fail tenant/main tenant is _other, and the organisation's is _acme: records with _other are refused",
    );
  });
});

describe('datasets', () => {
  it('that do not exist', async () => {
    const { verify, destination } = await setUpByHand();
    const events = { ...destination.events, datasetId: '66f0c1d2e3a4b5c6d7e8f901' };
    const found = problems(await verify({ destination: { ...destination, events } }));
    expect(found).toContainEqual(
      'fail dataset/main events.datasetId: the sandbox has no dataset 66f0c1d2e3a4b5c6d7e8f901',
    );
  });

  it('of another schema, which the dataflow does not write to either', async () => {
    const { verify, destination } = await setUpByHand();
    const events = { ...destination.events, datasetId: destination.profile?.datasetId ?? '' };
    const found = problems(await verify({ destination: { ...destination, events } }));
    expect(found).toContainEqual(
      expect.stringContaining(
        `fail dataset/main events.datasetId: Loyalty profiles belongs to the schema ${destination.profile?.schemaId}, not to ${events.schemaId}`,
      ),
    );
    expect(found).toContainEqual(
      `fail event dataflow/main it writes to the dataset ${destination.events.datasetId}, not to events.datasetId (${events.datasetId}) of main`,
    );
  });

  it('that are not enabled', async () => {
    expect(await drifted({ tags: ['unifiedIdentity'] })).toEqual([
      'fail dataset/main events.datasetId: Loyalty events is not enabled for Profile: its records stay in the data lake',
      'fail dataset/main profile.datasetId: Loyalty profiles is not enabled for Profile: its records stay in the data lake',
    ]);
  });
});

describe('dataflows', () => {
  it('that do not exist', async () => {
    const { verify, destination } = await setUpByHand();
    const events = { ...destination.events, flowId: '8b1f6f3e-41a5-4a9e-9d2a-2c6b8a7f5e10' };
    expect(problems(await verify({ destination: { ...destination, events } }))).toContainEqual(
      'fail event dataflow/main events.flowId: the sandbox has no dataflow 8b1f6f3e-41a5-4a9e-9d2a-2c6b8a7f5e10',
    );
  });

  it('that are disabled', async () => {
    const { client, destination, verify } = await setUpByHand();
    const read = await readFlowObject(client, 'flows', destination.events.flowId);
    const etag = (read.ok && read.value?.etag) || '';
    await client.post(
      `/data/foundation/flowservice/flows/${destination.events.flowId}/action?op=disable`,
      {},
      { ifMatch: etag },
    );
    expect(problems(await verify())).toEqual([
      'fail event dataflow/main Loyalty events is disabled: its records go nowhere',
    ]);
  });

  it('that are younger than five minutes', async () => {
    const { verify } = await setUpByHand();
    const found = (await verify({ now: Date.now() })).filter(({ level }) => level !== 'ok');
    expect(found.map(({ check }) => check)).toEqual(['event dataflow/main', 'profile dataflow/main']);
    expect(found[0]).toMatchObject({
      level: 'fail',
      detail: expect.stringContaining('created or changed less than 5 min ago'),
      fix: expect.stringMatching(/^start the relay after 20\d\d-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
    });
  });

  it('of another connection than inletUrl', async () => {
    const { client, verify, destination } = await setUpByHand();
    const other = await createFlowObject(client, 'connections', {
      name: 'Other',
      connectionSpec: { id: 'bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb', version: '1.0' },
      auth: {
        specName: 'Streaming Connection',
        params: { sourceId: 'x', dataType: 'xdm', name: 'x', authenticationRequired: true },
      },
    });
    if (!other.ok) throw new Error('no connection');
    const { datasetId, schemaId } = destination.events;
    const flowId = await makeFlow(client, { name: 'Other', connection: other.value, datasetId, schemaId });
    const events = { ...destination.events, flowId };
    expect(problems(await verify({ destination: { ...destination, events } }))).toEqual([
      'fail connection/main the dataflow belongs to the connection Other, whose inlet is not that of inletUrl',
    ]);
  });

  it('whose connection takes records from anybody', async () => {
    expect(await drifted({ connection: { authenticationRequired: false } })).toEqual([
      'warn connection/main the connection does not require authentication: it takes records from anyone who knows inletUrl',
    ]);
    expect(await drifted({ config: { authenticated: false } })).toEqual([
      'fail connection/main the connection requires authentication, and the destination has authenticated: false',
    ]);
  });

  it('whose connection is of another format', async () => {
    const { verify, destination } = await setUpByHand();
    const found = problems(await verify({ destination: { ...destination, format: 'raw' } }));
    expect(found).toContainEqual(
      'fail connection/main Loyalty has dataType xdm, and the destination format: raw',
    );
    expect(found).toContainEqual(
      'fail connection/main Loyalty events has no mapping, which raw payloads need',
    );
  });
});

import { expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../../src/capillary/json.ts';
import { STANDARD_GROUPS, type RecordClass, XDM_CLASSES } from '../../../../src/xdm/standard-groups.ts';
import { tenantFieldGroups } from '../../../../src/xdm/tenant-field-groups.ts';
import { fixtureNames, RECEIVED_AT, readFixture } from '../../../mapping/mapping-rig.ts';
import { ORG } from '../adobe-client.ts';
import { itemOf, FLOW_SERVICE, platform } from './flow-rig.ts';

const REGISTRY = '/data/foundation/schemaregistry/tenant';
const CONTENT_TYPE = 'application/vnd.adobe.xed-full+json;version=1';
const TAGS = { unifiedProfile: ['enabled:true'], unifiedIdentity: ['enabled:true'] };
const NAMESPACES = { capillaryId: 'Cross_device', loyaltyId: 'Non_people' };

/** A sandbox as the relay's documentation sets it up, with a flow for each class. */
async function sandbox() {
  const rig = await platform({
    warmUpMs: 0,
    validationDelayMs: 0,
    now: () => RECEIVED_AT,
    platform: { tenantId: 'acme' },
  });
  const { adobe, make } = rig;
  for (const [code, idType] of Object.entries(NAMESPACES)) {
    await adobe.post('/data/core/idnamespace/identities', { name: code, code, idType, description: code });
  }
  const connection = await make.connection();
  const { auth } = itemOf(await adobe.get(`${FLOW_SERVICE}/connections/${connection}`));
  const { inletUrl } = (auth as { params: { inletUrl: string } }).params;
  const flowInto = async (record: RecordClass) => {
    const own = await adobe.post(`${REGISTRY}/fieldgroups`, tenantFieldGroups('_acme')[record]);
    const groups = STANDARD_GROUPS.filter(({ classes }) => classes.includes(record)).map(({ id }) => id);
    const schema = await adobe.post(`${REGISTRY}/schemas`, {
      type: 'object',
      title: record,
      allOf: [XDM_CLASSES[record], ...groups, String(own.json['$id'])].map(($ref) => ({ $ref })),
      'meta:immutableTags': ['union'],
    });
    const schemaRef = { id: String(schema.json['$id']), contentType: CONTENT_TYPE };
    const made = await adobe.post('/data/foundation/catalog/dataSets', {
      name: record,
      schemaRef,
      tags: TAGS,
    });
    const datasetId = String((made.json as unknown as string[])[0]).replace('@/dataSets/', '');
    const flowId = await make.flow(await make.source(connection), await make.target(datasetId, schemaRef.id));
    return { schemaRef, datasetId, flowId };
  };
  return { ...rig, inletUrl, flows: { event: await flowInto('event'), profile: await flowInto('profile') } };
}

function recordsOf(name: string): [RecordClass, JsonObject][] {
  const golden = JSON.parse(readFixture(`${name}.xdm`)) as JsonObject;
  const { event, profile } = golden;
  const record = isJsonObject(profile) ? profile['record'] : undefined;
  return [
    ...(isJsonObject(event) ? [['event', event] as [RecordClass, JsonObject]] : []),
    ...(isJsonObject(record) ? [['profile', record] as [RecordClass, JsonObject]] : []),
  ];
}

it('what the relay writes is ingested by schemas that the platform API made', async () => {
  const { simulator, inletUrl, flows } = await sandbox();
  const records = fixtureNames.flatMap(recordsOf);
  const messages = records.map(([record, entity]) => {
    const { schemaRef, datasetId, flowId } = flows[record];
    return {
      header: { schemaRef, datasetId, flowId, imsOrgId: ORG },
      body: { xdmMeta: { schemaRef }, xdmEntity: entity },
    };
  });
  for (let start = 0; start < messages.length; start += 50) {
    const answer = await fetch(inletUrl.replace('/collection/', '/collection/batch/'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: messages.slice(start, start + 50) }),
    });
    expect(answer.status).toBe(207);
  }
  const { fates } = await simulator.until((stats) => stats.fates.pending === 0, AbortSignal.timeout(5_000));
  const reasons = simulator.landed({ dropped: true }).map(({ id, dropped }) => [id, ...dropped]);
  expect(reasons).toEqual([]);
  expect(records.length).toBeGreaterThan(100);
  expect(fates).toEqual({
    pending: 0,
    inLake: records.length,
    inProfile: records.length,
    failed: 0,
    lost: 0,
  });
});

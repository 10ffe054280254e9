import { readDataset } from '../../../adobe/platform/catalog.ts';
import { readIdentityDescriptors } from '../../../adobe/platform/descriptors.ts';
import { type FlowObject, readFlowObject } from '../../../adobe/platform/flow-service.ts';
import { listNamespaces } from '../../../adobe/platform/identity-namespaces.ts';
import type { PlatformClient, PlatformResult } from '../../../adobe/platform/platform-client.ts';
import { readFullSchema, readTenant } from '../../../adobe/platform/schema-registry.ts';
import type { DestinationConfig, SourceConfig } from '../../../config/config-schema.ts';
import type { ProvisionedKey } from '../../../config/stand-ins.ts';
import type { RecordClass } from '../../../xdm/standard-groups.ts';
import { type Finding, fail, ok } from '../../doctor/finding.ts';
import { idKey } from '../step-context.ts';
import { dataflowFindings, type ReadDataflow } from './dataflow-findings.ts';
import { datasetFindings, expectedDatasets } from './dataset-findings.ts';
import { lostRecordFindings } from './lost-record-findings.ts';
import { namespaceFindings } from './namespace-findings.ts';
import { checkName, distinctFindings, readFailure, readingOf } from './platform-reading.ts';
import { type ReadSchemas, recordSchemaFindings } from './record-schema-findings.ts';

/** A destination whose set-up is verified. */
export interface VerifiedTarget {
  readonly destination: DestinationConfig;
  /** Keys that the configuration does not have yet. */
  readonly missing: ReadonlySet<ProvisionedKey>;
  readonly client: PlatformClient;
}

export interface VerifyClock {
  /** Epoch ms. */
  readonly now: number;
  /** How old a dataflow has to be, in ms. */
  readonly settleMs: number;
}

/** A dataflow of the configuration. */
export interface ConfiguredFlow {
  readonly record: RecordClass;
  readonly ids: DestinationConfig['events'];
}

/** What the dataflows of a destination carry: profile records only if they are written. */
export function flowsOf({ events, profile }: DestinationConfig): readonly ConfiguredFlow[] {
  return [
    { record: 'event', ids: events },
    ...(profile === undefined || profile.write === 'off'
      ? []
      : [{ record: 'profile' as const, ids: profile }]),
  ];
}

function missingFindings({ destination, missing }: VerifiedTarget): Finding[] {
  const keys = [...missing].filter((key) => key !== 'tenant');
  return keys.length === 0
    ? []
    : [
        fail(
          checkName('ids', destination.name),
          `the configuration does not have ${keys.join(', ')}`,
          'run capillary-relay provision apply, which makes what is missing and shows the ids',
        ),
      ];
}

/** The first call: it needs a token, the gateway, the sandbox and the permission for schemas. */
async function accessFindings({ client, destination }: VerifiedTarget): Promise<{
  readonly findings: Finding[];
  readonly canGoOn: boolean;
}> {
  const { name, tenant, sandbox, platform } = destination;
  const found = await readTenant(client);
  if (!found.ok) {
    const { kind, gap } = found.error;
    // Another permission of the role says nothing about this one.
    const canGoOn = kind === 'forbidden' && gap?.permission !== undefined;
    return { findings: [readFailure('platform', name, found.error)], canGoOn };
  }
  const host = new URL(platform.url).host;
  const reached = ok(checkName('platform', name), `${host} accepts the credential in the sandbox ${sandbox}`);
  const check = checkName('tenant', name);
  if (tenant === undefined)
    return {
      findings: [reached, ok(check, `none is configured; the organisation's is ${found.value}`)],
      canGoOn: true,
    };
  const wrong = fail(
    check,
    `tenant is ${tenant}, and the organisation's is ${found.value}: records with ${tenant} are refused`,
    `set tenant: ${found.value}`,
  );
  return { findings: [reached, tenant === found.value ? ok(check, tenant) : wrong], canGoOn: true };
}

async function identityFindings({ client, destination }: VerifiedTarget): Promise<Finding[]> {
  const read = readingOf('namespaces', destination.name, await listNamespaces(client));
  return read.ok ? namespaceFindings(destination, read.value) : [read.finding];
}

async function schemaFindings(
  { client, destination, missing }: VerifiedTarget,
  sources: readonly SourceConfig[],
): Promise<Finding[]> {
  const failures: Finding[] = [];
  const read: Partial<Record<RecordClass, ReadSchemas['event']>> = {};
  for (const { record, ids } of flowsOf(destination)) {
    if (missing.has(idKey(record, 'schemaId'))) continue;
    const check = `${record} schema`;
    const resource = readingOf(check, destination.name, await readFullSchema(client, ids.schemaId));
    if (!resource.ok) {
      failures.push(resource.finding);
      continue;
    }
    const descriptors = readingOf(
      check,
      destination.name,
      resource.value === undefined
        ? ({ ok: true, value: [] } as const)
        : await readIdentityDescriptors(client, ids.schemaId),
    );
    if (!descriptors.ok) failures.push(descriptors.finding);
    read[record] = { resource: resource.value, descriptors: descriptors.ok ? descriptors.value : undefined };
  }
  return [...failures, ...recordSchemaFindings(read, destination, sources)];
}

async function allDatasetFindings({ client, destination, missing }: VerifiedTarget): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const expected of expectedDatasets(destination)) {
    if ((missing as ReadonlySet<string>).has(expected.key)) continue;
    const read = readingOf('dataset', destination.name, await readDataset(client, expected.id));
    found.push(...(read.ok ? datasetFindings(destination.name, expected, read.value) : [read.finding]));
  }
  return found;
}

function firstId(object: FlowObject | undefined, key: string): string | undefined {
  const ids = object?.body[key];
  const [first] = Array.isArray(ids) ? ids : [ids];
  return typeof first === 'string' ? first : undefined;
}

/** Follows a dataflow to its connection and its dataset. */
export async function readDataflow(
  client: PlatformClient,
  flowId: string,
): Promise<PlatformResult<ReadDataflow>> {
  const flow = await readFlowObject(client, 'flows', flowId);
  if (!flow.ok) return flow;
  if (flow.value === undefined) return { ok: true, value: { flow: undefined } };
  const follow = async (
    kind: Parameters<typeof readFlowObject>[1],
    id: string | undefined,
  ): Promise<PlatformResult<FlowObject | undefined>> =>
    id === undefined ? { ok: true, value: undefined } : readFlowObject(client, kind, id);
  const target = await follow('targetConnections', firstId(flow.value, 'targetConnectionIds'));
  if (!target.ok) return target;
  const source = await follow('sourceConnections', firstId(flow.value, 'sourceConnectionIds'));
  if (!source.ok) return source;
  const connection = await follow('connections', firstId(source.value, 'baseConnectionId'));
  if (!connection.ok) return connection;
  return { ok: true, value: { flow: flow.value, target: target.value, connection: connection.value } };
}

async function flowFindings(
  { client, destination, missing }: VerifiedTarget,
  { now, settleMs }: VerifyClock,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { record, ids } of flowsOf(destination)) {
    if (missing.has(idKey(record, 'flowId')) || missing.has('inletUrl')) continue;
    const read = readingOf(`${record} dataflow`, destination.name, await readDataflow(client, ids.flowId));
    found.push(
      ...(read.ok
        ? dataflowFindings(read.value, {
            destination,
            record,
            ids,
            now,
            settleMs,
            clockAheadMs: client.clockAheadMs(),
          })
        : [read.finding]),
    );
  }
  return found;
}

async function ingestionFindings(
  { client, destination, missing }: VerifiedTarget,
  { now }: VerifyClock,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const { record, ids } of flowsOf(destination)) {
    if (missing.has(idKey(record, 'datasetId')) || missing.has(idKey(record, 'flowId'))) continue;
    found.push(...(await lostRecordFindings(client, { destination: destination.name, record, ...ids, now })));
  }
  return found;
}

/**
 * Compares what exists at Adobe with the configuration of a destination, whoever has made it.
 * Only reads.
 */
export async function verifyDestination(
  target: VerifiedTarget,
  sources: readonly SourceConfig[],
  clock: VerifyClock,
): Promise<readonly Finding[]> {
  const access = await accessFindings(target);
  const found = [...missingFindings(target), ...access.findings];
  if (!access.canGoOn) return found;
  found.push(...(await identityFindings(target)));
  found.push(...(await schemaFindings(target, sources)));
  found.push(...(await allDatasetFindings(target)));
  found.push(...(await flowFindings(target, clock)));
  found.push(...(await ingestionFindings(target, clock)));
  return distinctFindings(found);
}

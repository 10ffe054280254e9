import type { JsonObject } from '../../../capillary/json.ts';
import { type Violation, violationText } from '../field-violations.ts';
import type { InletMessage } from '../inlet-request.ts';
import type { RecordVerdict } from '../record-fate.ts';
import { type Identity, primaryIdentity } from '../record-identity.ts';
import { NO_PRIMARY, type RecordLimits, recordViolations } from '../record-violations.ts';
import { mappedRecord } from './data-prep.ts';
import { baseConnectionIds, connectionParams, mappingOf, objectAt, targetsOf, textAt } from './flow-body.ts';
import type {
  ProvisionedInlet,
  Sandbox,
  SchemaFields,
  TwinConnection,
  TwinDataset,
  TwinFlowObject,
} from './sandbox.ts';
import { expiredIn } from './row-expiration.ts';
import { upsertEffect } from './upsert-effect.ts';
import { identityDescriptorsOf, schemaFields } from './schema-fields.ts';

/** When a record arrives, and how old its flow must be. */
export interface JudgeSettings {
  readonly now: number;
  readonly warmUpMs: number;
  /** Default: those of Adobe. */
  readonly limits?: RecordLimits;
}

function lost(reason: string): RecordVerdict {
  return { state: 'lost', inLake: false, inProfile: false, dropped: [reason], violations: [] };
}

function failed(violations: readonly Violation[]): RecordVerdict {
  const dropped = violations.map(violationText);
  return { state: 'failed', inLake: false, inProfile: false, dropped, violations };
}

function failedHeader(message: string): RecordVerdict {
  return failed([{ pointer: '#', keyword: 'header', message }]);
}

/**
 * The flow that takes the record. Without one, with one of another connection, a disabled one or a
 * new one, the record is lost, although its sender gets a success
 * (docs/platforms/adobe.md#lost-by-the-dataflow).
 */
function flowOf(
  { flowId }: InletMessage,
  { sandbox, connection }: ProvisionedInlet,
  { now, warmUpMs }: JudgeSettings,
): TwinFlowObject | RecordVerdict {
  if (flowId === '') return lost('flow: the message names no flow');
  const flow = sandbox.flows.get(flowId);
  if (!flow) return lost('flow: it does not exist');
  if (!baseConnectionIds(flow, sandbox).includes(connection.id)) {
    return lost('flow: it belongs to another connection');
  }
  if (flow.state === 'disabled') return lost('flow: it is disabled');
  if (now - flow.updatedAt < warmUpMs) return lost('flow: it was made or changed too recently');
  return flow;
}

function isEnabledFor({ tags }: TwinDataset, service: 'unifiedProfile' | 'unifiedIdentity'): boolean {
  return tags[service]?.includes('enabled:true') === true;
}

/** The keywords of violations that only keep a record out of Profile. */
const PROFILE_ONLY = ['identity', 'size'];

/** Record and schema as validated, or why the record fails before that. */
interface Validation {
  readonly entity: JsonObject;
  readonly dataset: TwinDataset;
  readonly schema: SchemaFields;
}

/**
 * A missing field has another code if it leads to the primary identity
 * (docs/platforms/adobe.md#validation-codes).
 */
function withPrimary(violation: Violation, primaryPaths: readonly string[]): Violation {
  const [, key] = /^required key \[(.+)\] not found$/.exec(violation.message) ?? [];
  if (violation.keyword !== 'required' || key === undefined) return violation;
  const path = `${violation.pointer.slice(1)}/${key}`;
  const leads = primaryPaths.some((primary) => primary === path || primary.startsWith(`${path}/`));
  return leads ? { ...violation, keyword: 'primary' } : violation;
}

function primaryPathsOf(sandbox: Sandbox, schemaId: string): string[] {
  return identityDescriptorsOf(sandbox, schemaId)
    .filter((descriptor) => descriptor['xdm:isPrimary'] === true)
    .map((descriptor) => textAt(descriptor, 'xdm:sourceProperty') ?? '');
}

/** The primary identity, if a field of the schema is it (docs/platforms/adobe.md#identity-map). */
function fieldIdentity(entity: JsonObject, schemaId: string, sandbox: Sandbox): Identity | undefined {
  for (const descriptor of identityDescriptorsOf(sandbox, schemaId)) {
    if (descriptor['xdm:isPrimary'] !== true) continue;
    const path = textAt(descriptor, 'xdm:sourceProperty')?.split('/').slice(1) ?? [];
    const names = path.slice(0, -1);
    const id = textAt(
      names.reduce((inner, name) => objectAt(inner, name), entity),
      path.at(-1) ?? '',
    );
    const given = descriptor['xdm:namespace'];
    const namespace = sandbox.namespaces.find((one) => one.code === given || one.id === Number(given));
    if (id !== undefined && namespace) return { namespace: namespace.code, id };
  }
  return undefined;
}

function identityMember(identity: Identity | undefined): { readonly identity?: Identity } {
  return identity ? { identity } : {};
}

/**
 * The violations of a record. If a field is its primary identity, no entry of the identityMap may
 * be. The person of an upsert can be one that only the payload names.
 */
function violationsOf(
  { entity, dataset, schema }: Validation,
  { operations }: InletMessage,
  sandbox: Sandbox,
  { now, limits }: JudgeSettings,
): Violation[] {
  const codes = sandbox.namespaces.map(({ code }) => code);
  const found = recordViolations(entity, now, codes, schema, limits);
  const field = fieldIdentity(entity, dataset.schemaId, sandbox);
  const inMap = primaryIdentity(entity);
  if (inMap && field) {
    const message = 'the primary identity is a field of the schema';
    return [...found, { pointer: '#/identityMap', keyword: 'identity', message }];
  }
  if (inMap || (!field && operations === undefined)) return found;
  return found.filter(({ message }) => message !== NO_PRIMARY);
}

/** The verdict on a record as its dataset would have it. */
function judgeEntity(
  { entity, dataset, schema }: Validation,
  message: InletMessage,
  sandbox: Sandbox,
  settings: JudgeSettings,
): RecordVerdict {
  const { now } = settings;
  const field = fieldIdentity(entity, dataset.schemaId, sandbox);
  const found = violationsOf({ entity, dataset, schema }, message, sandbox, settings);
  const invalid = found.filter(({ keyword }) => !PROFILE_ONLY.includes(keyword));
  const upsert = upsertEffect(message.operations, dataset, sandbox);
  if (upsert.problem !== undefined) return failedHeader(upsert.problem);
  const isForProfile = isEnabledFor(dataset, 'unifiedProfile') && schema.isUnion;
  if (invalid.length > 0) {
    const paths = primaryPathsOf(sandbox, dataset.schemaId);
    return failed(invalid.map((violation) => withPrimary(violation, paths)));
  }
  const expired = schema.kind === 'event' ? expiredIn(entity, dataset.body, now) : [];
  const inLake = !upsert.isProfileOnly && !expired.includes('lake');
  const inProfile = isForProfile && found.length === 0 && !expired.includes('Profile');
  const reasons = isForProfile ? found.map(violationText) : [];
  return {
    state: inLake || inProfile ? 'ingested' : 'lost',
    inLake,
    inProfile,
    dropped: [...reasons, ...expired.map((place) => `age: older than the dataset keeps it in the ${place}`)],
    violations: [],
    linksIdentities: upsert.linksIdentities,
    stored: {
      kind: schema.kind,
      entity,
      ...identityMember(field ?? primaryIdentity(entity)),
      ...(upsert.operation === undefined ? {} : { operation: upsert.operation }),
    },
  };
}

/** What the validator finds in the header: all of it ends in a failed batch of the dataset. */
function headerProblem(
  message: InletMessage,
  dataset: TwinDataset,
  connection: TwinConnection,
): string | undefined {
  if (message.format !== 'xdm') return undefined;
  const { schemaId, hasSource, hasEntity } = message.header ?? {};
  if (schemaId !== dataset.schemaId) return 'the schema is not that of the dataset';
  if (hasSource !== true && connectionParams(connection).sourceId === undefined) {
    return 'Payload header is missing Source Name';
  }
  return hasEntity === false ? 'Payload body is missing xdmEntity' : undefined;
}

/**
 * What will become of a record that an inlet of the platform API has accepted
 * (docs/platforms/adobe.md#silent-drops, docs/simulator.md#what-becomes-of-a-record).
 */
export function judgeRecord(
  message: InletMessage,
  inlet: ProvisionedInlet,
  settings: JudgeSettings,
): RecordVerdict {
  const { sandbox, connection } = inlet;
  const flow = flowOf(message, inlet, settings);
  if ('dropped' in flow) return flow;
  const targets = targetsOf(flow, sandbox);
  const datasetId = message.datasetId ?? targets[0]?.datasetId ?? '';
  const dataset = sandbox.datasets.get(datasetId);
  if (!dataset) return lost('dataset: it does not exist');
  if (dataset.body.state === 'DISABLED') return lost('dataset: it is disabled');
  if (!targets.some((target) => target.datasetId === datasetId)) {
    return failedHeader('the dataset is not that of the flow');
  }
  const problem = headerProblem(message, dataset, connection);
  if (problem !== undefined) return failedHeader(problem);
  const verdict = judgeContent(message, flow, { sandbox, dataset }, settings);
  return { ...verdict, datasetId };
}

/** The verdict on a record whose header is right. */
function judgeContent(
  message: InletMessage,
  flow: TwinFlowObject,
  { sandbox, dataset }: { readonly sandbox: Sandbox; readonly dataset: TwinDataset },
  settings: JudgeSettings,
): RecordVerdict {
  const schema = schemaFields(sandbox, dataset.schemaId);
  if (!schema) return failedHeader('the schema does not exist');
  const mapping = message.format === 'raw' ? mappingOf(flow.body) : undefined;
  const set = mapping && sandbox.mappingSets.get(mapping.id);
  const entity = set ? mappedRecord(message.entity, set) : message.entity;
  return judgeEntity({ entity, dataset, schema }, message, sandbox, settings);
}

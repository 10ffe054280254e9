import { rmSync } from 'node:fs';
import type { JsonObject } from '../../../src/capillary/json.ts';
import type { StepResult } from '../../../src/cli/provision/step-engine.ts';
import type { Sandbox, TwinFlowObject, TwinResource } from '../../../src/simulator/adobe/platform/sandbox.ts';
import { type Destination, keysOf, setUpTwin, type TwinRig } from './twin-rig.ts';

/** A destination whose objects exist, with their ids in the configuration. */
export async function setUpApplied(keys: Destination = {}): Promise<TwinRig> {
  const rig = await setUpTwin(keys);
  const { configuration } = await rig.apply();
  rig.configure(keysOf(configuration.values));
  return rig;
}

const MARKER = / \[capillary-aep-relay:aep\]$/;

/** Objects of the same form that somebody has made by hand, and no state file. */
export async function setUpByHand(): Promise<TwinRig> {
  const rig = await setUpApplied();
  rmSync(rig.stateFile);
  const { sandbox } = rig;
  const rename = (body: JsonObject, key: 'name' | 'title'): JsonObject => ({
    ...body,
    [key]: (body[key] as string).replace(MARKER, ''),
  });
  for (const resource of [...sandbox.schemas.values(), ...sandbox.fieldGroups.values()])
    resource.body = rename(resource.body, 'title');
  const { connections, sourceConnections, targetConnections, flows } = sandbox;
  for (const objects of [connections, sourceConnections, targetConnections, flows])
    for (const object of objects.values() as Iterable<TwinFlowObject>)
      object.body = rename(object.body, 'name');
  for (const dataset of sandbox.datasets.values()) {
    dataset.body = rename(dataset.body, 'name');
    dataset.name = dataset.name.replace(MARKER, '');
  }
  return rig;
}

export function first<T>(objects: ReadonlyMap<string, T>): T {
  const [object] = objects.values();
  return object!;
}

function disableDataset({ datasets }: Sandbox): void {
  const dataset = first(datasets);
  dataset.tags = { ...dataset.tags, unifiedProfile: ['enabled:false'] };
  dataset.body = {
    ...dataset.body,
    tags: { ...(dataset.body['tags'] as JsonObject), unifiedProfile: ['enabled:false'] },
  };
}

function removeUnion({ schemas }: Sandbox): void {
  const { 'meta:immutableTags': _tags, ...body } = first(schemas).body;
  first(schemas).body = body;
}

/** Removes what a JSON pointer names. */
function removeAt(resource: TwinResource, pointer: string): void {
  const body = structuredClone(resource.body);
  const steps = pointer.slice(1).split('/');
  const last = steps.pop()!;
  const parent = steps.reduce((node, step) => node[step] as JsonObject, body);
  delete parent[last];
  resource.body = body;
}

function removeField({ fieldGroups }: Sandbox): void {
  const fields = '/definitions/customFields/properties/_demo/properties/capillary/properties';
  removeAt(first(fieldGroups), `${fields}/milestones`);
}

function removeGroup({ schemas }: Sandbox): void {
  const schema = first(schemas);
  const allOf = schema.body['allOf'] as JsonObject[];
  schema.body = {
    ...schema.body,
    allOf: allOf.filter(({ $ref }) => !JSON.stringify($ref).includes('experienceevent-commerce')),
  };
}

function openConnection({ connections }: Sandbox): void {
  const connection = first(connections);
  const body = structuredClone(connection.body) as { auth: { params: JsonObject } } & JsonObject;
  body.auth.params['authenticationRequired'] = false;
  connection.body = body;
}

function disableFlow({ flows }: Sandbox): void {
  first(flows).state = 'disabled';
}

export type Drift = readonly [what: string, drift: (sandbox: Sandbox) => void, key: string, detail: string];

export const DRIFTS: readonly Drift[] = [
  ['a dataset that is disabled', disableDataset, 'dataset:event', 'it is not enabled for Profile'],
  ['a schema without its union tag', removeUnion, 'schema:event', 'tag union'],
  ['a schema without a field group', removeGroup, 'schema:event', 'Commerce Details'],
  ['a connection that accepts data of anybody', openConnection, 'connection', 'without authentication'],
  ['a dataflow that is disabled', disableFlow, 'flow:event', 'it is disabled'],
];

export function resultOf(objects: readonly StepResult[], key: string): StepResult {
  return objects.find((result) => result.key === key)!;
}

export function changedOf(objects: readonly StepResult[]): string[] {
  return objects.filter(({ outcome }) => outcome !== 'found').map(({ key }) => key);
}

export const GROUP_DRIFT: Drift = [
  'a field group without a field',
  removeField,
  'group:event',
  'capillary.milestones',
];

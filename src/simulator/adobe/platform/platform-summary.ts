import type { JsonObject } from '../../../capillary/json.ts';
import { datasetUses } from './dataset-tags.ts';
import type { PlatformState } from './platform-state.ts';
import type { Sandbox, TwinFlowObject } from './sandbox.ts';
import { classOf, hasUnionTag } from './schema-fields.ts';
import { referencesOf } from './schema-merge.ts';

function flowObjects(objects: ReadonlyMap<string, TwinFlowObject>): JsonObject[] {
  return [...objects.values()].map(({ id, state, body }) => ({ id, name: body['name'] ?? '', state }));
}

function sandboxSummary(sandbox: Sandbox): JsonObject {
  const { namespaces, fieldGroups, schemas, datasets, connections } = sandbox;
  return {
    name: sandbox.name,
    namespaces: namespaces
      .filter(({ custom }) => custom)
      .map(({ id, code, name, idType }) => ({ id, code, name, idType })),
    fieldGroups: [...fieldGroups.values()].map(({ id, version, body }) => ({
      id,
      title: body['title'] ?? '',
      version,
    })),
    schemas: [...schemas.values()].map(({ id, version, body }) => ({
      id,
      title: body['title'] ?? '',
      version,
      class: classOf(sandbox, body) ?? '',
      references: [...referencesOf(body)],
      union: hasUnionTag(body),
    })),
    descriptors: [...sandbox.descriptors.values()],
    datasets: [...datasets.values()].map((dataset) => ({
      id: dataset.id,
      name: dataset.name,
      schemaId: dataset.schemaId,
      version: dataset.version,
      state: dataset.body['state'] ?? '',
      ...datasetUses(dataset),
    })),
    connections: [...connections.values()].map(({ id, state, body, inletId }) => ({
      id,
      name: body['name'] ?? '',
      state,
      inletId,
    })),
    sourceConnections: flowObjects(sandbox.sourceConnections),
    targetConnections: flowObjects(sandbox.targetConnections),
    flows: flowObjects(sandbox.flows),
    mappingSets: [...sandbox.mappingSets.keys()],
    batches: sandbox.batches.length,
    runs: sandbox.runs.length,
  };
}

/** The objects of the organisation by sandbox, for tests and people. Adobe's own are left out. */
export function platformSummary(platform: PlatformState): JsonObject {
  return {
    tenantId: platform.settings.tenantId,
    sandboxes: platform.sandboxes().map(sandboxSummary),
  };
}

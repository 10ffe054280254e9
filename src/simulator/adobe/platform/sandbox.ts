import type { JsonObject, JsonValue } from '../../../capillary/json.ts';
import type { Violation } from '../field-violations.ts';
import type { RecordSchema } from '../record-violations.ts';

/** An identity namespace; Adobe's own exist in every sandbox. */
export interface TwinNamespace {
  readonly id: number;
  readonly code: string;
  readonly name: string;
  readonly idType: string;
  readonly description: string;
  /** Of the organisation, not Adobe's own. */
  readonly custom: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A field group or a schema of the tenant, as its body was posted, with what the registry adds. */
export interface TwinResource {
  readonly id: string;
  readonly altId: string;
  /** `1.0`, `1.1`, …: raised with every change. */
  version: string;
  body: JsonObject;
  readonly createdAt: number;
  updatedAt: number;
}

/** Adobe's own resources in a sandbox: the container `global`. */
export interface AdobeLibrary {
  readonly classes: ReadonlyMap<string, TwinResource>;
  readonly fieldGroups: ReadonlyMap<string, TwinResource>;
}

export interface TwinDataset {
  readonly id: string;
  name: string;
  readonly schemaId: string;
  tags: Readonly<Record<string, readonly string[]>>;
  /** The whole object, as Catalog shows it. */
  body: JsonObject;
  readonly createdAt: number;
  updatedAt: number;
  version: string;
}

/** Any object of Flow Service. */
export interface TwinFlowObject {
  readonly id: string;
  etag: string;
  state: 'enabled' | 'disabled';
  /** As it was posted, with the changes since. */
  body: JsonObject;
  /** Client id and organisation of who made it. */
  readonly client: string;
  readonly imsOrgId: string;
  readonly createdAt: number;
  updatedAt: number;
}

/** A connection with its inlet. */
export interface TwinConnection extends TwinFlowObject {
  readonly inletId: string;
}

/** The inlet of a connection, with the sandbox that it belongs to. */
export interface ProvisionedInlet {
  readonly sandbox: Sandbox;
  readonly connection: TwinConnection;
}

/** Records of one dataset that were ingested, or that failed, together. */
export interface TwinBatch {
  readonly id: string;
  readonly datasetId: string;
  readonly flowId: string;
  readonly status: 'success' | 'failed';
  readonly createdAt: number;
  readonly completedAt: number;
  /** By their number in `landed`, which has their content. */
  readonly records: readonly { readonly seq: number; readonly violations: readonly Violation[] }[];
  /** Of their content. */
  readonly bytes: number;
  /** Of a failed batch: each code and text once, with the positions of its records. */
  readonly errors: readonly BatchError[];
}

export interface BatchError {
  readonly code: string;
  readonly description: string;
  readonly rows: readonly string[];
}

/** One run of a dataflow: here one for the records of each request. */
export interface TwinFlowRun {
  readonly id: string;
  readonly flowId: string;
  readonly startedAt: number;
  readonly completedAt: number;
  readonly inputRecords: number;
  readonly outputRecords: number;
  readonly failedRecords: number;
  readonly bytes: number;
  readonly batchIds: readonly string[];
  readonly errors: readonly BatchError[];
}

/** What a dataset's schema accepts. */
export interface SchemaFields extends RecordSchema {
  /** Whether it is enabled for Profile (tag `union`). */
  readonly isUnion: boolean;
}

/** Everything in one sandbox of the simulated AEP. Ids are unique over all sandboxes. */
export interface Sandbox {
  readonly name: string;
  readonly namespaces: TwinNamespace[];
  /** Adobe's own classes and field groups. */
  readonly library: AdobeLibrary;
  readonly fieldGroups: Map<string, TwinResource>;
  readonly schemas: Map<string, TwinResource>;
  readonly descriptors: Map<string, JsonObject>;
  /** Raised with every change of field groups, schemas and descriptors. */
  registryRevision: number;
  readonly datasets: Map<string, TwinDataset>;
  readonly connections: Map<string, TwinConnection>;
  /** Inlets of deleted connections. */
  readonly deletedInlets: Set<string>;
  readonly sourceConnections: Map<string, TwinFlowObject>;
  readonly targetConnections: Map<string, TwinFlowObject>;
  readonly mappingSets: Map<string, JsonObject>;
  readonly flows: Map<string, TwinFlowObject>;
  readonly batches: TwinBatch[];
  readonly runs: TwinFlowRun[];
}

export function createSandbox(
  name: string,
  namespaces: readonly TwinNamespace[],
  library: AdobeLibrary,
): Sandbox {
  return {
    name,
    library,
    namespaces: [...namespaces],
    fieldGroups: new Map(),
    schemas: new Map(),
    descriptors: new Map(),
    registryRevision: 0,
    datasets: new Map(),
    connections: new Map(),
    deletedInlets: new Set(),
    sourceConnections: new Map(),
    targetConnections: new Map(),
    mappingSets: new Map(),
    flows: new Map(),
    batches: [],
    runs: [],
  };
}

/** The body of a request: JSON, or undefined without one. */
export type PlatformBody = JsonValue | undefined;

import { onTestFinished } from 'vitest';
import { createDataset } from '../../../src/adobe/platform/catalog.ts';
import { createFlowObject, readFlowObject, SPECS } from '../../../src/adobe/platform/flow-service.ts';
import { createNamespace } from '../../../src/adobe/platform/identity-namespaces.ts';
import {
  createPlatformClient,
  type PlatformClient,
  type PlatformClientOptions,
  type PlatformResult,
} from '../../../src/adobe/platform/platform-client.ts';
import { createResource } from '../../../src/adobe/platform/schema-registry.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { connectionParams } from '../../../src/cli/provision/connection-steps.ts';
import { verifyDestination } from '../../../src/cli/provision/verify/verify-destination.ts';
import type { DestinationConfig, SourceConfig } from '../../../src/config/config-schema.ts';
import { destinationSchema } from '../../../src/config/destination-config.ts';
import { startSimulator, type Simulator } from '../../../src/simulator/simulator.ts';
import type { SimulatorOptions } from '../../../src/simulator/adobe/simulator-options.ts';
import { type RecordClass, STANDARD_GROUPS, XDM_CLASSES } from '../../../src/xdm/standard-groups.ts';
import { tenantFieldGroups } from '../../../src/xdm/tenant-field-groups.ts';

export const ORG = '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg';
const CLIENT_ID = 'client-1';
/** Old enough for every dataflow. */
const LATER_MS = 600_000;

/** What a set-up by hand does differently from the instructions. */
export interface Drift {
  readonly namespaces?: Readonly<Record<string, string>>;
  /** `$id`s of Adobe's groups that the schemas do not get. */
  readonly withoutGroups?: readonly string[];
  /** Changes the body of the tenant's field group. */
  readonly tenantGroup?: (body: JsonObject) => JsonObject | undefined;
  /** Changes the body of a schema. */
  readonly schema?: (body: JsonObject, record: RecordClass) => JsonObject;
  readonly tags?: readonly ('unifiedProfile' | 'unifiedIdentity')[];
  readonly connection?: JsonObject;
  readonly config?: JsonObject;
  readonly simulator?: SimulatorOptions;
}

export interface VerifyRig {
  readonly simulator: Simulator;
  readonly client: PlatformClient;
  readonly destination: DestinationConfig;
  /** The findings when every dataflow is old enough, or at another time. */
  readonly verify: (options?: {
    readonly destination?: DestinationConfig;
    readonly sources?: readonly SourceConfig[];
    readonly now?: number;
    /** Calls the platform with this client id, or in another way. */
    readonly as?: Partial<PlatformClientOptions>;
  }) => Promise<readonly Finding[]>;
}

function done<T>(result: PlatformResult<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.call}: ${result.error.status} ${result.error.text}`);
}

/** One token of the simulated IMS, which is never replaced. */
export async function tokensOf(
  simulator: Simulator,
  clientId: string,
): Promise<PlatformClientOptions['tokens']> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: 'secret',
    scope: 'openid',
  });
  const answer = await fetch(simulator.imsUrl, { method: 'POST', body });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return { get: async () => ({ ok: true, token }), reject: () => undefined };
}

/** A client whose token is never replaced. */
async function connect(
  simulator: Simulator,
  { clientId = CLIENT_ID, ...options }: Partial<PlatformClientOptions> = {},
): Promise<PlatformClient> {
  const tokens = await tokensOf(simulator, clientId);
  const client = createPlatformClient({
    url: simulator.url,
    imsOrgId: ORG,
    sandbox: 'dev',
    clientId,
    tokens,
    wait: async () => undefined,
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

async function makeSchema(client: PlatformClient, record: RecordClass, drift: Drift): Promise<string> {
  const { withoutGroups = [], tenantGroup = (body) => body, schema = (body) => body } = drift;
  const own = tenantGroup(tenantFieldGroups('_acme')[record]);
  const ownId = own === undefined ? undefined : done(await createResource(client, 'fieldgroups', own));
  const groups = STANDARD_GROUPS.filter(
    ({ classes, id }) => classes.includes(record) && !withoutGroups.includes(id),
  );
  const refs = [XDM_CLASSES[record], ...groups.map(({ id }) => id), ...(ownId === undefined ? [] : [ownId])];
  const body = {
    type: 'object',
    title: `Loyalty ${record}s`,
    'meta:immutableTags': ['union'],
    allOf: refs.map(($ref) => ({ $ref })),
  };
  return done(await createResource(client, 'schemas', schema(body, record)));
}

/** Everything that the instructions of deploy/aep make, in a simulated sandbox. */
export async function setUpByHand(drift: Drift = {}): Promise<VerifyRig> {
  const simulator = await startSimulator({
    empty: true,
    platform: { tenantId: 'acme', imsOrgId: ORG, sandboxes: ['dev'] },
    validationDelayMs: 0,
    warmUpMs: 0,
    ...drift.simulator,
  });
  onTestFinished(() => simulator.close());
  const client = await connect(simulator);
  const namespaces = drift.namespaces ?? { capillaryId: 'Cross_device', loyaltyId: 'Non_people' };
  for (const [code, idType] of Object.entries(namespaces))
    done(await createNamespace(client, { name: code, code, idType, description: code }));
  const connection = done(
    await createFlowObject(client, 'connections', {
      name: 'Loyalty',
      connectionSpec: { id: SPECS.streaming, version: '1.0' },
      auth: {
        specName: 'Streaming Connection',
        params: {
          sourceId: 'relay',
          dataType: 'xdm',
          name: 'r',
          authenticationRequired: true,
          ...drift.connection,
        },
      },
    }),
  );
  const dataflows = {
    events: await makeDataflow(client, 'event', connection, drift),
    profile: await makeDataflow(client, 'profile', connection, drift),
  };
  const shown = done(await readFlowObject(client, 'connections', connection));
  const destination = destinationSchema.parse({
    name: 'main',
    imsOrgId: ORG,
    sandbox: 'dev',
    inletUrl: shown === undefined ? '' : connectionParams(shown).inletUrl,
    ims: { url: simulator.imsUrl, clientId: CLIENT_ID, clientSecrets: ['secret'] },
    platform: { url: simulator.url },
    tenant: '_acme',
    schemaFeatures: { loyalty2026: true, placeContext: true, sourceAudit: true },
    ...dataflows,
    ...drift.config,
  });
  return {
    simulator,
    client,
    destination,
    verify: async ({
      destination: given = destination,
      sources = [],
      now = Date.now() + LATER_MS,
      as,
    } = {}) => {
      const reader = as === undefined ? client : await connect(simulator, as);
      return verifyDestination({ destination: given, missing: new Set(), client: reader }, sources, {
        now,
        settleMs: 300_000,
      });
    },
  };
}

async function makeDataflow(client: PlatformClient, record: RecordClass, connection: string, drift: Drift) {
  const schemaId = await makeSchema(client, record, drift);
  const name = `Loyalty ${record}s`;
  const enabled = drift.tags ?? ['unifiedProfile', 'unifiedIdentity'];
  const datasetId = done(await createDataset(client, { name, description: name, schemaId, enabled }));
  const flowId = await makeFlow(client, { name, connection, datasetId, schemaId });
  return { schemaId, datasetId, flowId };
}

/** A dataflow from a connection into a dataset. @returns its id */
export async function makeFlow(
  client: PlatformClient,
  of: {
    readonly name: string;
    readonly connection: string;
    readonly datasetId: string;
    readonly schemaId: string;
  },
): Promise<string> {
  const { name, connection, datasetId, schemaId } = of;
  const source = done(
    await createFlowObject(client, 'sourceConnections', {
      name,
      baseConnectionId: connection,
      connectionSpec: { id: SPECS.streaming, version: '1.0' },
    }),
  );
  const target = done(
    await createFlowObject(client, 'targetConnections', {
      name,
      data: { schema: { id: schemaId, version: 'application/vnd.adobe.xed-full+json;version=1.0' } },
      params: { dataSetId: datasetId },
      connectionSpec: { id: SPECS.dataLake, version: '1.0' },
    }),
  );
  return done(
    await createFlowObject(client, 'flows', {
      name,
      flowSpec: { id: SPECS.xdmFlow, version: '1.0' },
      sourceConnectionIds: [source],
      targetConnectionIds: [target],
    }),
  );
}

/** `fail dataset/main …` of each finding that is not ok. */
export function problems(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ level }) => level !== 'ok')
    .map(({ level, check, detail }) => `${level} ${check} ${detail}`);
}

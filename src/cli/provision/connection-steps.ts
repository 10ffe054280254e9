import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import {
  createFlowObject,
  findFlowObjects,
  type FlowKind,
  type FlowObject,
  patchFlowObject,
  readFlowObject,
  SPECS,
} from '../../adobe/platform/flow-service.ts';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { markedName, recordName } from './object-names.ts';
import { type Difference, type Looked, type Step, valueOf } from './provision-step.ts';
import {
  isLocated,
  isOwn,
  type Located,
  locate,
  type Lookup,
  recordsOf,
  type StepContext,
  type Unlocated,
} from './step-context.ts';

/** The key of the step of the base connection. */
export const CONNECTION = 'connection';

/** Objects of Flow Service, by the id or the name with the marker. */
export function locateFlowObject(
  context: StepContext,
  kind: FlowKind,
  {
    key,
    name,
    what,
    configured,
  }: Pick<Lookup<FlowObject>, 'key' | 'what' | 'configured'> & { readonly name: string },
) {
  const { client } = context;
  return locate<FlowObject>(context, {
    key,
    what,
    configured,
    read: (id) => readFlowObject(client, kind, id),
    find: async () =>
      valueOf(await findFlowObjects(client, kind, [`name==${name}`])).find((object) => object.name === name),
  });
}

/** The source connection of a record that `provision` has made. */
export async function locateSource(
  context: StepContext,
  record: RecordClass,
): Promise<FlowObject | undefined> {
  const name = recordName(record, context.destination.name);
  const what = 'source connection';
  const located = await locateFlowObject(context, 'sourceConnections', {
    key: `source:${record}`,
    name,
    what,
  });
  return isLocated(located) && located.isOurs ? located.object : undefined;
}

/** What a connection says about its inlet. */
export interface ConnectionParams {
  readonly inletUrl: string | undefined;
  readonly dataType: JsonValue | undefined;
  readonly isAuthenticationRequired: boolean;
}

function objectIn(value: JsonValue | undefined, key: string): JsonObject {
  const inner = isJsonObject(value) ? value[key] : undefined;
  return isJsonObject(inner) ? inner : {};
}

export function connectionParams({ body }: FlowObject): ConnectionParams {
  const params = objectIn(objectIn(body, 'auth'), 'params');
  const { inletUrl, dataType, authenticationRequired } = params;
  return {
    inletUrl: typeof inletUrl === 'string' && URL.canParse(inletUrl) ? inletUrl : undefined,
    dataType,
    // Flow Service shows it as a text too.
    isAuthenticationRequired: authenticationRequired === true || authenticationRequired === 'true',
  };
}

/** The last part of an inlet's URL, in either form. */
export function inletIdOf(url: string): string {
  return /\/collection\/(?:batch\/)?([^/?#]+)/.exec(url)?.[1] ?? url;
}

/** The connection of the configured inlet, which has no id in the configuration. */
async function findByInlet(
  context: StepContext,
  inletUrl: string,
): Promise<Located<FlowObject> | Extract<Looked, { state: 'blocked' }>> {
  const { client } = context;
  const connections = valueOf(
    await findFlowObjects(client, 'connections', [`connectionSpec.id==${SPECS.streaming}`]),
  );
  const object = connections.find(
    (connection) => inletIdOf(connectionParams(connection).inletUrl ?? '') === inletIdOf(inletUrl),
  );
  if (object === undefined) {
    return {
      state: 'blocked',
      what: `inletUrl: no connection of the sandbox ${client.sandbox} has this inlet`,
      fix: 'correct inletUrl, or remove it: then a connection is made',
    };
  }
  return { object, isOurs: isOwn(context, CONNECTION, object) };
}

/**
 * The connection that our source connections read from: without the state file it is found so
 * although somebody has renamed it.
 */
async function findBySource(context: StepContext): Promise<Located<FlowObject> | undefined> {
  for (const record of recordsOf(context)) {
    const source = await locateSource(context, record);
    const base = source?.body['baseConnectionId'];
    const object =
      typeof base === 'string'
        ? valueOf(await readFlowObject(context.client, 'connections', base))
        : undefined;
    if (object !== undefined) return { object, isOurs: false };
  }
  return undefined;
}

/** The connection that `provision` has made. */
async function findOwn(context: StepContext, name: string): Promise<Located<FlowObject> | Unlocated> {
  const located = await locateFlowObject(context, 'connections', {
    key: CONNECTION,
    name,
    what: 'connection',
  });
  return isLocated(located) ? located : ((await findBySource(context)) ?? located);
}

const AUTHENTICATION = '/auth/params/authenticationRequired';

function connectionDifferences(context: StepContext, { object, isOurs }: Located<FlowObject>): Difference[] {
  const { client, destination } = context;
  const { authenticated } = destination;
  const { isAuthenticationRequired } = connectionParams(object);
  if (authenticated === isAuthenticationRequired) return [];
  if (!authenticated)
    return [{ what: 'it requires authentication', fix: 'write `authenticated: true` into the destination' }];
  const what = 'it accepts data without authentication';
  const operation = { op: 'replace', path: AUTHENTICATION, value: true } as const;
  const change = async (): Promise<void> => {
    valueOf(await patchFlowObject(client, 'connections', object, [operation]));
  };
  return isOurs
    ? [{ what, change }]
    : [{ what, fix: 'require authentication in the connection in AEP, or write `authenticated: false`' }];
}

/** The base connection, with its inlet. */
export function connectionStep(context: StepContext): Step {
  const { client, destination, missing } = context;
  const name = markedName('Capillary relay', destination.name);
  return {
    key: CONNECTION,
    kind: 'connection',
    name,
    look: async () => {
      const located = missing.has('inletUrl')
        ? await findOwn(context, name)
        : await findByInlet(context, destination.inletUrl);
      if (!isLocated(located)) return located;
      const { object, isOurs } = located;
      const { dataType } = connectionParams(object);
      if (dataType !== undefined && dataType !== destination.format) {
        return {
          state: 'blocked',
          what: `the connection ${object.id} takes ${JSON.stringify(dataType)}, not ${destination.format}`,
          fix: 'a connection keeps its type: correct `format`, or give the destination another name and remove inletUrl and the ids of its dataflows: then it gets objects of its own',
        };
      }
      return {
        state: 'found',
        id: object.id,
        name: object.name,
        isOurs,
        differences: connectionDifferences(context, located),
      };
    },
    make: async () =>
      valueOf(
        await createFlowObject(client, 'connections', {
          name,
          description: 'Inlet of capillary-aep-relay',
          connectionSpec: { id: SPECS.streaming, version: '1.0' },
          auth: {
            specName: 'Streaming Connection',
            params: {
              sourceId: 'capillary-relay',
              dataType: destination.format,
              name,
              authenticationRequired: destination.authenticated,
            },
          },
        }),
      ),
  };
}

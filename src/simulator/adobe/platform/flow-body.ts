import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import type { Answer } from '../exchange.ts';
import { flowProblem } from './flow-problem.ts';
import type { Sandbox, TwinFlowObject } from './sandbox.ts';

/** The object below a name, empty if there is none. */
export function objectAt(value: JsonValue | undefined, name: string): JsonObject {
  const inner = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(inner) ? inner : {};
}

/** Undefined if it is no text or an empty one. */
export function textAt(value: JsonObject, name: string): string | undefined {
  const text = value[name];
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** A list of ids, such as `sourceConnectionIds`. */
export function idsAt(body: JsonObject, name: string): string[] {
  const ids = body[name];
  return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
}

/** A wrong or missing member: Flow Service has no code of its own for it. */
export function invalidBody(detail: string): Answer {
  return flowProblem('1100-400', `The request could not be processed: ${detail}`);
}

/** @param member `connectionSpec` or `flowSpec` */
export function specProblem(
  body: JsonObject,
  member: string,
  expected: readonly string[],
): Answer | undefined {
  const { id } = objectAt(body, member);
  if (typeof id === 'string' && expected.includes(id)) return undefined;
  return flowProblem('1413-400', 'The spec ID provided is invalid. Please provide a valid spec ID.');
}

/** What the inlet of a connection expects, and the name of its source. */
export function connectionParams({ body }: TwinFlowObject): {
  readonly dataType: 'xdm' | 'raw';
  readonly isAuthenticationRequired: boolean;
  readonly sourceId: string | undefined;
} {
  const params = objectAt(objectAt(body, 'auth'), 'params');
  return {
    dataType: params.dataType === 'raw' ? 'raw' : 'xdm',
    isAuthenticationRequired: params.authenticationRequired === true,
    sourceId: textAt(params, 'sourceId'),
  };
}

/** The ids of the base connections that a flow takes its data from. */
export function baseConnectionIds(flow: Pick<TwinFlowObject, 'body'>, sandbox: Sandbox): string[] {
  return idsAt(flow.body, 'sourceConnectionIds').flatMap((id) => {
    const source = sandbox.sourceConnections.get(id);
    const base = source && textAt(source.body, 'baseConnectionId');
    return base === undefined ? [] : [base];
  });
}

/** The dataset and schema that a target connection writes to. */
export function targetOf(target: Pick<TwinFlowObject, 'body'>): {
  readonly datasetId: string;
  readonly schemaId: string;
} {
  return {
    datasetId: textAt(objectAt(target.body, 'params'), 'dataSetId') ?? '',
    schemaId: textAt(objectAt(objectAt(target.body, 'data'), 'schema'), 'id') ?? '',
  };
}

/** The targets of a flow. */
export function targetsOf(flow: TwinFlowObject, sandbox: Sandbox): ReturnType<typeof targetOf>[] {
  return idsAt(flow.body, 'targetConnectionIds').flatMap((id) => {
    const target = sandbox.targetConnections.get(id);
    return target ? [targetOf(target)] : [];
  });
}

/** The mapping set of a flow, if it has one. */
export function mappingOf(
  body: JsonObject,
): { readonly id: string; readonly version: JsonValue } | undefined {
  const list = Array.isArray(body.transformations) ? body.transformations : [];
  const mapping = list.find((item) => isJsonObject(item) && item.name === 'Mapping');
  const params = objectAt(mapping, 'params');
  const id = textAt(params, 'mappingId');
  return id === undefined ? undefined : { id, version: params.mappingVersion ?? 0 };
}

import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { objectAt, textAt } from './flow-body.ts';
import { problem } from './platform-errors.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';

const DEFAULT_LIMIT = 20;

/** One mapping of a set. */
export interface SetMapping {
  readonly sourceType: string;
  readonly source: string;
  /** A path in the schema, such as `person.name.firstName`. */
  readonly destination: string;
}

/** Both forms of a mapping: the documented one, and that of older tutorials. */
function readMapping(value: JsonValue): SetMapping | undefined {
  if (!isJsonObject(value)) return undefined;
  const destination = textAt(value, 'destination') ?? textAt(value, 'destinationXdmPath');
  const source = textAt(value, 'source') ?? textAt(value, 'sourceAttribute');
  if (destination === undefined || source === undefined) return undefined;
  return { sourceType: textAt(value, 'sourceType') ?? 'ATTRIBUTE', source, destination };
}

/** The mappings of a stored set. */
export function mappingsOf(set: JsonObject): SetMapping[] {
  const mappings = Array.isArray(set.mappings) ? set.mappings : [];
  return mappings.map(readMapping).filter((mapping) => mapping !== undefined);
}

/** `xdmSchema` of the older form is the schema of the documented one. */
function outputSchema(body: JsonObject): JsonObject {
  const id = textAt(body, 'xdmSchema');
  if (id === undefined) return objectAt(body, 'outputSchema');
  return { schemaRef: { id, contentType: 'application/vnd.adobe.xed-full+json;version=1' } };
}

/** Why Data Prep refuses a mapping set. */
function setProblem(body: JsonObject, { sandbox }: PlatformCall): Answer | undefined {
  const mappings = Array.isArray(body.mappings) ? body.mappings : [];
  if (mappings.length === 0) return problem(400, 'Bad Request', 'The mapping set has no mappings.');
  if (mappings.some((mapping) => readMapping(mapping) === undefined)) {
    return problem(400, 'Bad Request', 'A mapping needs a source and a destination.');
  }
  const schema = textAt(objectAt(outputSchema(body), 'schemaRef'), 'id') ?? '';
  if (sandbox.schemas.has(schema)) return undefined;
  return problem(400, 'Bad Request', `The output schema ${schema} is not found.`);
}

function create(call: PlatformCall): Answer {
  const { body, sandbox, now, headers } = call;
  if (!isJsonObject(body)) return problem(400, 'Bad Request', 'The request body is empty.');
  const invalid = setProblem(body, call);
  if (invalid) return invalid;
  const id = randomUUID().replaceAll('-', '');
  const user = `${String(headers['x-api-key'])}@techacct.adobe.com`;
  const made = { id, version: 0, createdDate: now, modifiedDate: now, createdBy: user, modifiedBy: user };
  sandbox.mappingSets.set(id, { ...body, outputSchema: outputSchema(body), ...made });
  return jsonAnswer(200, made);
}

function validate(call: PlatformCall): Answer {
  const { body } = call;
  if (!isJsonObject(body)) return problem(400, 'Bad Request', 'The request body is empty.');
  const invalid = setProblem(body, call);
  if (invalid) return invalid;
  return jsonAnswer(200, {
    validationResponse: mappingsOf(body).map(() => ({ status: 'SUCCESS', errors: null })),
  });
}

function list({ sandbox, query }: PlatformCall): Answer {
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  const start = Number(query.get('start') ?? 0);
  const name = query.get('name');
  const sets = [...sandbox.mappingSets.values()].filter((set) => name === null || set.name === name);
  const data = sets.slice(start, start + limit);
  return jsonAnswer(200, { data, _page: { count: data.length, limit }, _links: {} });
}

function get({ sandbox, params }: PlatformCall): Answer {
  const set = sandbox.mappingSets.get(params.id ?? '');
  return set ? jsonAnswer(200, set) : problem(404, 'Not Found', `Mapping set ${params.id} is not found.`);
}

/** The first is in the OpenAPI file, the second in a tutorial. */
const PATHS = ['/data/foundation/conversion/mappingSets', '/data/foundation/mappingSets'];

/** Mapping sets of Data Prep (docs/platforms/adobe.md#data-prep). */
export const MAPPING_SET_ROUTES: readonly PlatformRoute[] = PATHS.flatMap((path): PlatformRoute[] => [
  { method: 'GET', path, permission: 'View Sources', answer: list },
  { method: 'POST', path, permission: 'Manage Sources', answer: create },
  { method: 'POST', path: `${path}/validate`, permission: 'View Sources', answer: validate },
  { method: 'GET', path: `${path}/:id`, permission: 'View Sources', answer: get },
]);

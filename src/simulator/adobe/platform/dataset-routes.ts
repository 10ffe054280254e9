import { randomBytes } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { datasetList, projected } from './dataset-listing.ts';
import { checkTags } from './dataset-tags.ts';
import { applyJsonPatch, JsonPatchError } from './json-patch.ts';
import { ifMatchProblem } from './platform-errors.ts';
import { listable, type PlatformCall, type PlatformRoute } from './platform-route.ts';
import { badRequest, olderError } from './registry-errors.ts';
import type { TwinDataset, TwinResource } from './sandbox.ts';
import { objectOf, textOf } from './schema-merge.ts';

const PATH = '/data/foundation/catalog/dataSets';
const NESTED_PATH = '/data/foundation/catalog/v2/dataSets';

/** What a client can set; Catalog ignores the rest of a body. */
const WRITABLE = [
  'name',
  'description',
  'schemaRef',
  'state',
  'tags',
  'fileDescription',
  'enableErrorDiagnostics',
  'extensions',
];

const CONTENT_TYPE = /^application\/vnd\.adobe\.xed(-full)?(-notext)?\+json;\s*version=1(\.\d+)?$/;

function reference(id: string): string[] {
  return [`@/dataSets/${id}`];
}

function notFound(): Answer {
  return olderError(404, 'NotFoundError', 'Object not found');
}

/** The schema that a dataset is to have, or the refusal. */
function schemaOf({ sandbox }: PlatformCall, body: JsonObject): TwinResource | Answer {
  const { id, contentType } = objectOf(body['schemaRef']);
  const schema = sandbox.schemas.get(textOf(id));
  if (schema === undefined) return badRequest(`The schema ${JSON.stringify(id ?? '')} does not exist.`);
  return CONTENT_TYPE.test(textOf(contentType))
    ? schema
    : badRequest('schemaRef.contentType must be a type of the schema registry with its version.');
}

/** Adobe's processes keep tags of their own beside those of the client. */
function adobeTags(name: string, id: string): Record<string, string[]> {
  const table = name.toLowerCase().replaceAll(/\W+/g, '_').slice(0, 50);
  return { 'adobe/pqs/table': [`${table}_${id.slice(-4)}`] };
}

function isAdobeTag([name]: readonly [string, unknown]): boolean {
  return name.startsWith('adobe/');
}

/** Makes a dataset. Names are not unique: the same call again makes another one. */
function create(call: PlatformCall): Answer {
  const { body, sandbox, headers, now } = call;
  if (!isJsonObject(body)) return badRequest('The body must be a JSON object.');
  const schema = schemaOf(call, body);
  if ('status' in schema) return schema;
  const tags = checkTags(body['tags'], schema, sandbox);
  if (!tags.ok) return tags.answer;
  const id = randomBytes(12).toString('hex');
  const name = textOf(body['name']) || id;
  const all: Record<string, string[]> = { ...adobeTags(name, id) };
  for (const [tag, values] of Object.entries(tags.value)) all[tag] = [...values];
  const given = Object.fromEntries(Object.entries(body).filter(([key]) => WRITABLE.includes(key)));
  const client = textOf(headers['x-api-key']);
  sandbox.datasets.set(id, {
    id,
    name,
    schemaId: schema.id,
    tags: all,
    body: {
      state: 'DRAFT',
      ...given,
      name,
      tags: all,
      version: '1.0.0',
      imsOrg: textOf(headers['x-gw-ims-org-id']),
      sandboxName: sandbox.name,
      namespace: 'ACP',
      created: now,
      updated: now,
      createdClient: client,
      createdUser: `${client}@techacct.adobe.com`,
      updatedUser: `${client}@techacct.adobe.com`,
      files: `@/dataSets/${id}/views/${id}/files`,
    },
    createdAt: now,
    updatedAt: now,
    version: '1.0.0',
  });
  return jsonAnswer(201, reference(id), { location: `${PATH}/${id}` });
}

/** `1.0.9` → `1.0.10`. */
function nextVersion(version: string): string {
  const [major = '1', minor = '0', micro = '0'] = version.split('.');
  return `${major}.${minor}.${Number(micro) + 1}`;
}

/** Gives a dataset what a client can set of a new body. */
function change(call: PlatformCall, dataset: TwinDataset, next: JsonObject): Answer {
  const { sandbox, now } = call;
  const schema = schemaOf(call, next);
  if ('status' in schema) return schema;
  if (schema.id !== dataset.schemaId) return badRequest('The schema of a dataset cannot change.');
  const checked = checkTags(next['tags'], schema, sandbox);
  if (!checked.ok) return checked.answer;
  const tags: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(dataset.tags).filter(isAdobeTag)) tags[name] = [...values];
  for (const [name, values] of Object.entries(checked.value)) tags[name] = [...values];
  const set = Object.fromEntries(Object.entries(next).filter(([key]) => WRITABLE.includes(key)));
  const kept = Object.entries(dataset.body).filter(([key]) => !WRITABLE.includes(key));
  dataset.version = nextVersion(dataset.version);
  dataset.updatedAt = now;
  dataset.tags = tags;
  dataset.name = textOf(set['name']) || dataset.name;
  dataset.body = {
    ...Object.fromEntries(kept),
    ...set,
    name: dataset.name,
    tags,
    version: dataset.version,
    updated: now,
  };
  return jsonAnswer(200, reference(dataset.id));
}

function withDataset(call: PlatformCall, use: (dataset: TwinDataset) => Answer): Answer {
  const dataset = call.sandbox.datasets.get(call.params['id'] ?? '');
  if (dataset === undefined) return notFound();
  return ifMatchProblem(call.headers, dataset.version) ?? use(dataset);
}

/**
 * Fields, which replace those of the dataset as a whole, or JSON Patch operations with their own
 * content type (docs/platforms/adobe.md#catalog).
 */
function patch(call: PlatformCall): Answer {
  return withDataset(call, (dataset) => {
    const isPatch = call.headers['content-type']?.startsWith('application/json-patch+json') === true;
    if (!isPatch) {
      return isJsonObject(call.body)
        ? change(call, dataset, { ...dataset.body, ...call.body })
        : badRequest(
            'The body must be an object: a list needs the content type application/json-patch+json.',
          );
    }
    if (!Array.isArray(call.body)) return badRequest('The body must be a list of JSON Patch operations.');
    try {
      return change(call, dataset, applyJsonPatch(dataset.body, call.body));
    } catch (error) {
      if (error instanceof JsonPatchError) return badRequest(error.message);
      throw error;
    }
  });
}

function mergedInto(target: JsonObject, source: JsonObject): JsonObject {
  const merge = ([key, value]: [string, JsonValue]): [string, JsonValue] => {
    const known = target[key];
    return [key, isJsonObject(known) && isJsonObject(value) ? mergedInto(known, value) : value];
  };
  return { ...target, ...Object.fromEntries(Object.entries(source).map(merge)) };
}

/** The second version of PATCH changes nested fields alone. */
function patchNested(call: PlatformCall): Answer {
  return withDataset(call, (dataset) =>
    isJsonObject(call.body)
      ? change(call, dataset, mergedInto(dataset.body, call.body))
      : badRequest('The body must be an object.'),
  );
}

function lookUp({ sandbox, params, query }: PlatformCall): Answer {
  const dataset = sandbox.datasets.get(params['id'] ?? '');
  if (dataset === undefined) return notFound();
  return jsonAnswer(200, { [dataset.id]: projected(dataset.body, query) });
}

function remove(call: PlatformCall): Answer {
  return withDataset(call, ({ id }) => {
    call.sandbox.datasets.delete(id);
    return jsonAnswer(200, reference(id));
  });
}

/** The datasets of Catalog. */
export const DATASET_ROUTES: readonly PlatformRoute[] = [
  {
    method: 'GET',
    path: PATH,
    permission: 'View Datasets',
    answer: (call) => datasetList(listable([...call.sandbox.datasets.values()], call), call.query),
  },
  { method: 'POST', path: PATH, permission: 'Manage Datasets', answer: create },
  { method: 'GET', path: `${PATH}/:id`, permission: 'View Datasets', answer: lookUp },
  { method: 'PATCH', path: `${PATH}/:id`, permission: 'Manage Datasets', answer: patch },
  { method: 'PATCH', path: `${NESTED_PATH}/:id`, permission: 'Manage Datasets', answer: patchNested },
  { method: 'DELETE', path: `${PATH}/:id`, permission: 'Manage Datasets', answer: remove },
];

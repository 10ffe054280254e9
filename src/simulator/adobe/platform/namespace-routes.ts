import { isJsonObject, type JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { TwinNamespace } from './sandbox.ts';
import { textOf } from './schema-merge.ts';

const PATH = '/data/core/idnamespace/identities';

/** The types that a namespace can have, as one namespace is shown. */
const ID_TYPES = ['Cookie', 'Cross_device', 'Device', 'Email', 'Mobile', 'Non_people', 'Phone'];

/** In the list, some types are spelled otherwise (docs/platforms/adobe.md#identity-namespaces). */
const LISTED_TYPES: Readonly<Record<string, string>> = {
  Cookie: 'COOKIE',
  Cross_device: 'CROSS_DEVICE',
  Mobile: 'MOBILE',
};

/** Ids of custom namespaces. */
const FIRST_CUSTOM_ID = 10_000_001;

function namespaceProblem(status: number, code: string, title: string, description: string): Answer {
  return jsonAnswer(status, {
    timestamp: new Date().toISOString(),
    type: 'http://ns.adobe.com/adobecloud/problem/namespacevalidation',
    status,
    title,
    description,
    report: { code },
  });
}

function invalid(description: string): Answer {
  return namespaceProblem(400, 'INVALID_REQUEST_PARAMS', 'Namespace validation', description);
}

function conflict(description: string): Answer {
  return namespaceProblem(409, 'INTEGRATION_CODE_EXISTS', 'NAMESPACE_CODE_CONFLICT', description);
}

function viewOf({ createdAt, updatedAt, ...namespace }: TwinNamespace): JsonObject {
  return { ...namespace, status: 'ACTIVE', createTime: createdAt, updateTime: updatedAt };
}

function list({ sandbox }: PlatformCall): Answer {
  const views = sandbox.namespaces.map((namespace) => ({
    ...viewOf(namespace),
    idType: LISTED_TYPES[namespace.idType] ?? namespace.idType,
  }));
  return jsonAnswer(200, views);
}

function find({ sandbox, params }: PlatformCall): TwinNamespace | undefined {
  return sandbox.namespaces.find(({ id }) => String(id) === params['id']);
}

function notFound({ params, headers }: PlatformCall): Answer {
  const org = textOf(headers['x-gw-ims-org-id']);
  const description = `Namespace id ${params['id'] ?? ''} not found for given IMS Org ${org}`;
  return namespaceProblem(404, 'NAMESPACE_NOT_FOUND', 'Namespace validation', description);
}

function lookUp(call: PlatformCall): Answer {
  const namespace = find(call);
  return namespace === undefined ? notFound(call) : jsonAnswer(200, viewOf(namespace));
}

/** The fault of a body that is to become a namespace. */
function bodyFault(body: JsonObject): string | undefined {
  if (textOf(body['name']) === '') return 'name is required.';
  if (!/^[A-Za-z0-9]+$/.test(textOf(body['code']))) return 'code is required: letters and numbers only.';
  const idType = textOf(body['idType']).toLowerCase();
  if (ID_TYPES.some((known) => known.toLowerCase() === idType)) return undefined;
  const valid = ID_TYPES.map((known) => known.toUpperCase()).join(', ');
  return `Please provide a valid value of idType. Valid values are: [${valid}]`;
}

/** A code is used once, whatever its case, and so is a name. */
function create({ sandbox, body, now }: PlatformCall): Answer {
  if (!isJsonObject(body)) return invalid('The body must be a JSON object.');
  const fault = bodyFault(body);
  if (fault !== undefined) return invalid(fault);
  const [name, code] = [textOf(body['name']), textOf(body['code'])];
  const { namespaces } = sandbox;
  if (namespaces.some((known) => known.code.toLowerCase() === code.toLowerCase())) {
    return conflict('Namespace code already exists. Please use a different code');
  }
  if (namespaces.some((known) => known.name === name)) {
    return conflict('Namespace name already exists. Please use a different name');
  }
  const idType = textOf(body['idType']).toLowerCase();
  const namespace: TwinNamespace = {
    id: FIRST_CUSTOM_ID + namespaces.filter(({ custom }) => custom).length,
    code,
    name,
    idType: ID_TYPES.find((known) => known.toLowerCase() === idType) ?? '',
    description: textOf(body['description']),
    custom: true,
    createdAt: now,
    updatedAt: now,
  };
  namespaces.push(namespace);
  return jsonAnswer(200, viewOf(namespace));
}

/** Only the name and the description of a custom namespace can change. */
function update(call: PlatformCall): Answer {
  const { sandbox, body, now } = call;
  const namespace = find(call);
  if (namespace === undefined) return notFound(call);
  if (!isJsonObject(body)) return invalid('The body must be a JSON object.');
  const isSame =
    textOf(body['code']) === namespace.code &&
    textOf(body['idType']).toLowerCase() === namespace.idType.toLowerCase();
  if (!namespace.custom || !isSame) return invalid('code and idType are non editable fields');
  const changed: TwinNamespace = {
    ...namespace,
    name: textOf(body['name']) || namespace.name,
    description: textOf(body['description']),
    updatedAt: now,
  };
  sandbox.namespaces.splice(sandbox.namespaces.indexOf(namespace), 1, changed);
  return jsonAnswer(200, [viewOf(changed)]);
}

/** The identity namespaces; there is no way to delete one. */
export const NAMESPACE_ROUTES: readonly PlatformRoute[] = [
  { method: 'GET', path: PATH, permission: 'View Identity Namespaces', answer: list },
  { method: 'GET', path: `${PATH}/:id`, permission: 'View Identity Namespaces', answer: lookUp },
  { method: 'POST', path: PATH, permission: 'Manage Identity Namespaces', answer: create },
  { method: 'PUT', path: `${PATH}/:id`, permission: 'Manage Identity Namespaces', answer: update },
];

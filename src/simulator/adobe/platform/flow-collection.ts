import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { listItems } from './flow-listing.ts';
import { patchedBody, versionProblem } from './flow-patch.ts';
import { FLOW_SERVICE, flowProblem } from './flow-problem.ts';
import { listable, type PlatformCall, type PlatformRoute } from './platform-route.ts';
import type { Sandbox, TwinFlowObject } from './sandbox.ts';

/** One kind of objects of Flow Service. */
export interface FlowCollection<T extends TwinFlowObject> {
  /** The last part of its path, such as `sourceConnections`. */
  readonly name: string;
  readonly objects: (sandbox: Sandbox) => Map<string, T>;
  /** The body that is kept of a valid POST, or the answer that refuses it. */
  readonly accept: (body: JsonObject, call: PlatformCall) => { readonly body: JsonObject } | Answer;
  readonly make: (object: TwinFlowObject) => T;
  /** Members that GET adds to the body. */
  readonly shown: (object: T, call: PlatformCall) => JsonObject;
  /** Why an object cannot be deleted. */
  readonly keep: (object: T, call: PlatformCall) => Answer | undefined;
  readonly onDelete: (object: T, sandbox: Sandbox) => void;
}

/** The form of Adobe's; the quotation marks are part of it. */
function newEtag(now: number): string {
  const seconds = Math.floor(now / 1_000).toString(16);
  return `"${randomBytes(4).toString('hex')}-0000-0200-0000-${seconds}0000"`;
}

function headerText(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Sandboxes have an id beside their name; here it follows from the name. */
export function sandboxId(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

/** What every object of Flow Service shows (docs/platforms/adobe.md#flow-service). */
function commonMembers(object: TwinFlowObject, { sandbox }: PlatformCall): JsonObject {
  const { id, createdAt, updatedAt, client, imsOrgId } = object;
  const user = `${client}@techacct.adobe.com`;
  return {
    id,
    createdAt,
    updatedAt,
    createdBy: user,
    updatedBy: user,
    createdClient: client,
    updatedClient: client,
    sandboxId: sandboxId(sandbox.name),
    sandboxName: sandbox.name,
    imsOrgId,
  };
}

function viewOf<T extends TwinFlowObject>(
  object: T,
  collection: FlowCollection<T>,
  call: PlatformCall,
): JsonObject {
  return {
    ...commonMembers(object, call),
    ...object.body,
    ...collection.shown(object, call),
    state: object.state,
    version: object.etag,
    etag: object.etag,
  };
}

/** Gives an object another version. */
export function touch(object: TwinFlowObject, now: number): Answer {
  object.updatedAt = now;
  object.etag = newEtag(now);
  return jsonAnswer(200, { id: object.id, etag: object.etag });
}

/** The object that the path names, or the answer that there is none. */
export function objectOf<T extends TwinFlowObject>(
  { sandbox, params }: PlatformCall,
  collection: Pick<FlowCollection<T>, 'name' | 'objects'>,
): { readonly object: T } | Answer {
  const { id = '' } = params;
  const object = collection.objects(sandbox).get(id);
  if (object) return { object };
  const text = `The requested ${collection.name} resource ${id} is not found.`;
  return flowProblem('1439-404', text, { id, type: collection.name });
}

function list<T extends TwinFlowObject>(collection: FlowCollection<T>, call: PlatformCall): Answer {
  const { sandbox, query } = call;
  const visible = listable([...collection.objects(sandbox).values()], call);
  const views = visible.map((object) => viewOf(object, collection, call));
  return listItems(views, query, `/${collection.name}`);
}

function post<T extends TwinFlowObject>(collection: FlowCollection<T>, call: PlatformCall): Answer {
  const { body, headers, now, sandbox } = call;
  if (!isJsonObject(body) || Object.keys(body).length === 0) {
    return flowProblem('1405-400', 'The request body cannot be null or empty.');
  }
  if (typeof body.name !== 'string' || body.name === '') {
    return flowProblem('1100-400', 'The request could not be processed: name is missing.');
  }
  const accepted = collection.accept(body, call);
  if ('status' in accepted) return accepted;
  const object = collection.make({
    id: randomUUID(),
    etag: newEtag(now),
    state: 'enabled',
    body: accepted.body,
    client: headerText(headers['x-api-key']),
    imsOrgId: headerText(headers['x-gw-ims-org-id']),
    createdAt: now,
    updatedAt: now,
  });
  collection.objects(sandbox).set(object.id, object);
  const location = `${FLOW_SERVICE}/${collection.name}/${object.id}`;
  return jsonAnswer(201, { id: object.id, etag: object.etag }, { location });
}

function patch<T extends TwinFlowObject>(collection: FlowCollection<T>, call: PlatformCall): Answer {
  const found = objectOf(call, collection);
  if ('status' in found) return found;
  const { object } = found;
  const problem = versionProblem(call, object);
  if (problem) return problem;
  const next = patchedBody(object.body, call.body);
  if ('status' in next) return next;
  object.body = next.body;
  return touch(object, call.now);
}

function remove<T extends TwinFlowObject>(collection: FlowCollection<T>, call: PlatformCall): Answer {
  const found = objectOf(call, collection);
  if ('status' in found) return found;
  const { object } = found;
  const problem = collection.keep(object, call);
  if (problem) return problem;
  collection.objects(call.sandbox).delete(object.id);
  collection.onDelete(object, call.sandbox);
  return { status: 204, headers: {}, body: '' };
}

function get<T extends TwinFlowObject>(collection: FlowCollection<T>, call: PlatformCall): Answer {
  const found = objectOf(call, collection);
  return 'status' in found ? found : jsonAnswer(200, { items: [viewOf(found.object, collection, call)] });
}

/** The routes that all kinds of objects have. */
export function collectionRoutes<T extends TwinFlowObject>(collection: FlowCollection<T>): PlatformRoute[] {
  const path = `${FLOW_SERVICE}/${collection.name}`;
  const one = `${path}/:id`;
  return [
    { method: 'GET', path, permission: 'View Sources', answer: (call) => list(collection, call) },
    { method: 'POST', path, permission: 'Manage Sources', answer: (call) => post(collection, call) },
    { method: 'GET', path: one, permission: 'View Sources', answer: (call) => get(collection, call) },
    { method: 'PATCH', path: one, permission: 'Manage Sources', answer: (call) => patch(collection, call) },
    { method: 'DELETE', path: one, permission: 'Manage Sources', answer: (call) => remove(collection, call) },
  ];
}

import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { mergedFields } from '../profile-view.ts';
import { type Identity, identityKey } from '../record-identity.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { ProfileEvent, StoredPerson } from './profile-store.ts';

const PROFILE = '_xdm.context.profile';
const EVENT = '_xdm.context.experienceevent';
const DEFAULT_LIMIT = 1_000;

/** Identities have an id of their own (XID); here it follows from namespace and value. */
function xidOf(identity: Identity): string {
  return createHash('sha256').update(identityKey(identity)).digest('base64url').slice(0, 28);
}

/** Profile Access has error documents of its own, whose status is a text. */
function accessProblem(status: number, message: string): Answer {
  return jsonAnswer(status, { statusCode: String(status), message });
}

/** The identity of a query, whose namespace can be written in another case than its code. */
function identityIn({ sandbox, query }: PlatformCall, id: string, namespace: string): Identity | Answer {
  const [value, code] = [query.get(id), query.get(namespace)];
  if (value === null || code === null) {
    return accessProblem(400, `UPS-ACC-1000001: ${id} and ${namespace} are required.`);
  }
  const known = sandbox.namespaces.find((one) => one.code.toLowerCase() === code.toLowerCase());
  if (!known) return accessProblem(422, `UPS-ACC-1000002: the namespace ${code} does not exist.`);
  return { namespace: known.code, id: value };
}

/** The fields of a comma-separated list of paths, or all. */
function selected(entity: JsonObject, fields: string | null): JsonObject {
  if (fields === null || fields === '') return entity;
  let result: JsonObject = {};
  for (const field of fields.split(',')) {
    const path = field.split('.');
    let value: JsonObject[string] | undefined = entity;
    for (const segment of path) value = isJsonObject(value) ? value[segment] : undefined;
    if (value === undefined) continue;
    const nested = path.toReversed().reduce<JsonObject[string]>((inner, name) => ({ [name]: inner }), value);
    result = mergedFields(result, isJsonObject(nested) ? nested : {});
  }
  return result;
}

function timeText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** All identities of the graph, in the form of an identityMap. */
function identityMapOf({ identities }: StoredPerson): JsonObject {
  const groups = Map.groupBy(identities, ({ namespace }) => namespace);
  const entries = [...groups].map(([code, list]) => [code, list.map(({ id }) => ({ id }))] as const);
  return Object.fromEntries(entries);
}

/** The fragments of all datasets, merged: of two values the newer one counts. */
function profileAnswer(person: StoredPerson, identity: Identity, call: PlatformCall): Answer {
  const { fragments } = person;
  const merged = fragments.reduce<JsonObject>((all, { entity }) => mergedFields(all, entity), {});
  const entity = { ...merged, identityMap: identityMapOf(person) };
  const changedAt = Math.max(0, ...fragments.map(({ at }) => at), ...person.events.map(({ at }) => at));
  const xid = xidOf(identity);
  return jsonAnswer(200, {
    [xid]: {
      entityId: xid,
      mergePolicy: { id: 'default' },
      sources: [...new Set(fragments.map(({ datasetId }) => datasetId))],
      identityGraph: person.identities.map(xidOf),
      entity: selected(entity, call.query.get('fields')),
      lastModifiedAt: timeText(changedAt),
    },
  });
}

function findProfile(call: PlatformCall): Answer {
  const identity = identityIn(call, 'entityId', 'entityIdNS');
  if ('status' in identity) return identity;
  const person = call.state.ingestion.profiles(call.sandbox).find(identity);
  return person
    ? profileAnswer(person, identity, call)
    : accessProblem(404, 'UPS-ACC-1000003: XDM objects not found.');
}

function numberIn(query: URLSearchParams, name: string, absent: number): number {
  const value = Number(query.get(name) ?? absent);
  return Number.isFinite(value) ? value : absent;
}

/** In the order of `orderby`, and within the times of the query. */
function eventsIn(events: readonly ProfileEvent[], query: URLSearchParams): ProfileEvent[] {
  const start = numberIn(query, 'startTime', 0);
  const end = numberIn(query, 'endTime', Infinity);
  const sign = query.get('orderby')?.startsWith('-') ? -1 : 1;
  return events
    .filter(({ time }) => time >= start && time < end)
    .toSorted((left, right) => sign * (left.time - right.time));
}

/** The link to the next page begins below `/access`. */
function nextHref(query: URLSearchParams, start: string): string {
  const next = new URLSearchParams(query);
  next.set('start', start);
  return `/entities?${next.toString()}`;
}

function idOf({ id, seq }: ProfileEvent): string {
  return id ?? String(seq);
}

function findEvents(call: PlatformCall): Answer {
  const { query, state, sandbox } = call;
  if (query.get('relatedSchema.name') !== PROFILE) {
    return accessProblem(400, `UPS-ACC-1000001: relatedSchema.name must be ${PROFILE}.`);
  }
  const identity = identityIn(call, 'relatedEntityId', 'relatedEntityIdNS');
  if ('status' in identity) return identity;
  const person = state.ingestion.profiles(sandbox).find(identity);
  const all = eventsIn(person?.events ?? [], query);
  const from = Math.max(
    0,
    all.findIndex((event) => idOf(event) === query.get('start')),
  );
  const limit = Math.max(1, numberIn(query, 'limit', DEFAULT_LIMIT));
  const page = all.slice(from, from + limit);
  const following = all[from + limit];
  const [first] = page;
  return jsonAnswer(200, {
    _page: {
      orderby: query.get('orderby') ?? 'timestamp',
      start: first ? idOf(first) : '',
      count: page.length,
      next: following ? idOf(following) : '',
    },
    children: page.map((event) => ({
      relatedEntityId: xidOf(identity),
      entityId: idOf(event),
      sourceId: event.datasetId ?? '',
      timestamp: event.time,
      entity: selected(event.entity, query.get('fields')),
      lastModifiedAt: timeText(event.at),
    })),
    _links: { next: { href: following ? nextHref(query, idOf(following)) : '' } },
  });
}

function find(call: PlatformCall): Answer {
  const schema = call.query.get('schema.name');
  if (schema === PROFILE) return findProfile(call);
  if (schema === EVENT) return findEvents(call);
  return accessProblem(400, 'UPS-ACC-1000001: schema.name must be that of profiles or events.');
}

/** Profiles and their events, by any identity (docs/platforms/adobe.md#profile-access). */
export const PROFILE_ROUTES: readonly PlatformRoute[] = [
  { method: 'GET', path: '/data/core/ups/access/entities', permission: 'View Profiles', answer: find },
];

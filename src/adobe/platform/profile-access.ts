import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { PlatformClient, PlatformResult } from './platform-client.ts';
import { objectsOf, orAbsent, readAnswer, textIn } from './typed-answer.ts';

const ENTITIES = '/data/core/ups/access/entities';

/** An identity by the code of its namespace. */
export interface EntityIdentity {
  readonly namespace: string;
  readonly id: string;
}

/** What Profile has of one person: all fragments, merged by the default merge policy. */
export interface StoredProfile {
  readonly entity: JsonObject;
  /** Epoch ms; 0 if unknown. */
  readonly modifiedAt: number;
  /** Ids of the datasets that it is merged from; empty if unknown. */
  readonly sources: readonly string[];
}

/** An event in the Profile store. */
export interface StoredEvent {
  /** `_id` of the event. */
  readonly id: string;
  /** Epoch ms. */
  readonly timestamp: number;
  readonly entity: JsonObject;
}

export interface EventQuery {
  /** Of the event itself, inclusive; epoch ms. */
  readonly from?: number;
  /** Exclusive; epoch ms. */
  readonly to?: number;
  /** Default 100. */
  readonly limit?: number;
  /** Paths such as `eventType`; default all. */
  readonly fields?: readonly string[];
  /** Whether a 404 is a failure: it can also mean that the look-up of events is not licensed. */
  readonly isStrict?: boolean;
}

function millis(value: JsonValue | undefined): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? Date.parse(value) || 0 : 0;
}

/** An unknown identity is answered with an empty entity of 1970, or with nothing. */
function profileIn(body: JsonValue | undefined): StoredProfile | null | undefined {
  if (!isJsonObject(body)) return undefined;
  const [found] = Object.values(body).filter(isJsonObject);
  const entity = isJsonObject(found?.['entity']) ? found['entity'] : {};
  if (found === undefined || Object.keys(entity).length === 0) return null;
  const sources = Array.isArray(found['sources']) ? found['sources'] : [];
  return {
    entity,
    modifiedAt: millis(found['lastModifiedAt']),
    sources: sources.filter((one) => typeof one === 'string'),
  };
}

/**
 * The profile of an identity; undefined if Profile does not know it (yet).
 * Source: docs/platforms/adobe.md#profile-access
 * @param fields paths such as `loyalty.points`; default all
 */
export async function readProfile(
  client: PlatformClient,
  { namespace, id }: EntityIdentity,
  fields: readonly string[] = [],
): Promise<PlatformResult<StoredProfile | undefined>> {
  const query = new URLSearchParams({
    'schema.name': '_xdm.context.profile',
    entityId: id,
    entityIdNS: namespace,
    ...(fields.length === 0 ? {} : { fields: fields.join(',') }),
  });
  const answer = await client.get(`${ENTITIES}?${query.toString()}`);
  const read = orAbsent(readAnswer(answer, `GET ${ENTITIES}`, profileIn));
  return read.ok ? { ok: true, value: read.value ?? undefined } : read;
}

function eventOf(child: JsonObject): StoredEvent {
  const entity = isJsonObject(child['entity']) ? child['entity'] : {};
  return {
    id: textIn(entity, '_id') ?? textIn(child, 'entityId') ?? '',
    timestamp: millis(child['timestamp']),
    entity,
  };
}

/** The events of an identity, the newest first; none if Profile does not know it. */
export async function readEvents(
  client: PlatformClient,
  { namespace, id }: EntityIdentity,
  { from, to, limit = 100, fields = [], isStrict = false }: EventQuery = {},
): Promise<PlatformResult<readonly StoredEvent[]>> {
  const query = new URLSearchParams({
    'schema.name': '_xdm.context.experienceevent',
    'relatedSchema.name': '_xdm.context.profile',
    relatedEntityId: id,
    relatedEntityIdNS: namespace,
    orderby: '-timestamp',
    limit: String(limit),
    ...(from === undefined ? {} : { startTime: String(from) }),
    ...(to === undefined ? {} : { endTime: String(to) }),
    ...(fields.length === 0 ? {} : { fields: fields.join(',') }),
  });
  const answer = await client.get(`${ENTITIES}?${query.toString()}`);
  const found = readAnswer(answer, `GET ${ENTITIES}`, (body) =>
    isJsonObject(body) ? (objectsOf(body['children']) ?? []).map(eventOf) : undefined,
  );
  if (isStrict) return found;
  const read = orAbsent(found);
  return read.ok ? { ok: true, value: read.value ?? [] } : read;
}

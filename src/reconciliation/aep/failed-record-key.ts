import type { FailedRecord, UnreadableRecord } from '../../adobe/platform/failed-records.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { partsOfXdmId } from '../../xdm/xdm-record.ts';

/** What says to which event a failed record belongs. */
export type RecordKey =
  /** The `_id` that the relay gave it. */
  | { readonly by: 'identity'; readonly prefix: string; readonly suffix: string }
  /** The id that Capillary gave the event, of a raw record. */
  | { readonly by: 'event-id'; readonly eventId: string }
  /** It has an `_id` that the relay never writes. */
  | { readonly by: 'another-writer' }
  | { readonly by: 'nothing' };

/** As in `"_id": "cap-…"`; inside a string such a text has backslashes before the quotes. */
const ID_IN_TEXT = /"_id"\s*:\s*"(cap-[^"\\]{1,60})"/g;

function keyOfId(id: string): RecordKey {
  const parts = partsOfXdmId(id);
  if (parts === undefined) return { by: 'another-writer' };
  return { by: 'identity', prefix: parts.identityPrefix, suffix: parts.suffix };
}

/** The id in a damaged record; nothing if it has more than one. */
function keyInText(text: string): RecordKey {
  const ids = new Set(Array.from(text.matchAll(ID_IN_TEXT), ([, id = '']) => id));
  const [id] = ids;
  return id !== undefined && ids.size === 1 ? keyOfId(id) : { by: 'nothing' };
}

function objectIn(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The record itself: a file has whole messages or records alone. */
function entitiesIn(body: JsonObject): JsonObject[] {
  const message = objectIn(body['body']);
  return [objectIn(message['xdmEntity']), objectIn(body['xdmEntity']), message, body];
}

function textAt(entities: readonly JsonObject[], key: string): string | undefined {
  const found = entities.map((entity) => entity[key]).find((value) => typeof value === 'string');
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The record that was refused, if it is in the file. */
export function entityOf(record: FailedRecord | UnreadableRecord): JsonObject | undefined {
  if ('head' in record) return undefined;
  return entitiesIn(record.body).find((entity) => typeof entity['_id'] === 'string');
}

/**
 * Reads it from the places where ids can be.
 * @param isRaw the destination sends Capillary's events as they are, and Data Prep makes `_id`
 */
export function keyOfRecord(record: FailedRecord | UnreadableRecord, isRaw: boolean): RecordKey {
  if ('head' in record) return keyInText(record.head);
  const entities = entitiesIn(record.body);
  const id = textAt(entities, '_id');
  const own = id === undefined ? undefined : keyOfId(id);
  if (own?.by === 'identity') return own;
  const eventId = isRaw ? textAt(entities, 'eventId') : undefined;
  if (eventId !== undefined) return { by: 'event-id', eventId };
  if (own !== undefined) return own;
  const { _corrupt_record: corrupt } = record.body;
  return typeof corrupt === 'string' ? keyInText(corrupt) : { by: 'nothing' };
}

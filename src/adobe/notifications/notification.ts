import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';

/** What Adobe I/O Events reports about a batch of AEP. */
export interface Notification {
  /** Client id of the project whose registration it is for. */
  readonly recipient: string;
  /** Such as `ing_load_failure`; empty if it is about something else. */
  readonly code: string;
  readonly batchId: string;
  readonly datasetId: string;
  readonly imsOrgId: string | undefined;
  readonly sandbox: string | undefined;
}

/** A request asks whether this is the right address. */
export interface Challenge {
  readonly challenge: string;
}

/** Events of one request; Adobe sends one, or some of them together. */
const MAX_EVENTS = 200;
const MAX_TEXT_CHARS = 200;

function textAt(object: JsonObject, ...keys: readonly string[]): string | undefined {
  const found = keys.map((key) => object[key]).find((value) => typeof value === 'string');
  return typeof found === 'string' && found !== '' && found.length <= MAX_TEXT_CHARS ? found : undefined;
}

function eventIn(object: JsonObject): JsonObject {
  const { event, data } = object;
  if (isJsonObject(event)) return event;
  return isJsonObject(data) ? data : {};
}

function notificationOf(value: JsonValue): Notification | undefined {
  if (!isJsonObject(value)) return undefined;
  const recipient = textAt(value, 'recipient_client_id', 'recipientclientid');
  if (recipient === undefined) return undefined;
  const event = eventIn(value);
  return {
    recipient,
    code: textAt(event, 'xdm:eventCode', 'eventCode') ?? textAt(value, 'type') ?? '',
    batchId: textAt(event, 'xdm:ingestionId', 'ingestionId') ?? '',
    datasetId: textAt(event, 'xdm:datasetId', 'datasetId') ?? '',
    imsOrgId: textAt(event, 'xdm:imsOrg', 'imsOrg'),
    sandbox: textAt(event, 'xdm:sandboxName', 'sandboxName'),
  };
}

/**
 * Reads the body of a request, in the form of Adobe's events or of CloudEvents.
 * Source: docs/platforms/adobe.md#notifications
 * @returns undefined if it is neither, or if one of its events names no recipient
 */
export function readNotifications(text: string): readonly Notification[] | Challenge | undefined {
  let body: JsonValue;
  try {
    body = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  if (isJsonObject(body)) {
    const challenge = textAt(body, 'challenge');
    if (challenge !== undefined) return { challenge };
  }
  const all = Array.isArray(body) ? body : [body];
  if (all.length === 0 || all.length > MAX_EVENTS) return undefined;
  const read = all.map(notificationOf);
  return read.every((one) => one !== undefined) ? read : undefined;
}

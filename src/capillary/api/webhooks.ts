import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { type ApiResult, type ApiSuccess, unreadable } from './api-answer.ts';
import type { CapillaryClient } from './capillary-client.ts';

/**
 * A webhook as a GET shows it.
 * Source: docs/platforms/capillary.md#webhook-object
 */
export interface Webhook {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly url: string;
  /** `HTTP`; Capillary's own ones are of other types. */
  readonly type: string;
  readonly eventNames: readonly string[];
  /** Sources whose customer identifiers are added to events, such as `Instore`. */
  readonly identifiers: readonly string[];
  /** Names and values; never to be shown. */
  readonly headers: Readonly<Record<string, string>>;
  /** Key of the delivery log; absent if Capillary shows none. */
  readonly consumerGroupId?: string;
  /** All that Capillary sent, to be sent back. */
  readonly object: JsonObject;
}

const PATH = '/v3/webHooks';

/**
 * A webhook's URL for output: without user name, password and query, in which another team or a
 * gateway can have a secret.
 */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, host, pathname, search } = new URL(url);
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}`;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The reference calls it an array, all examples are objects. */
function headersOf(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, textOf(text)]));
}

function webhookOf(object: JsonValue): Webhook[] {
  if (!isJsonObject(object) || textOf(object['webHookId']) === '') return [];
  const consumerGroupId = textOf(object['consumerGroupId']);
  return [
    {
      id: textOf(object['webHookId']),
      name: textOf(object['name']),
      active: object['active'] === true,
      url: textOf(object['webHookUrl']),
      type: textOf(object['webHookType']),
      eventNames: textsOf(object['eventNames']),
      identifiers: textsOf(object['customerIdentifiersToBeEnriched']),
      headers: headersOf(object['webHookHeaders']),
      ...(consumerGroupId === '' ? {} : { consumerGroupId }),
      object,
    },
  ];
}

function dataOf({ body }: ApiSuccess): JsonValue | undefined {
  return isJsonObject(body) ? body['data'] : undefined;
}

/** All webhooks of the organisation, active and inactive, also those of other teams. */
export async function listWebhooks(client: Pick<CapillaryClient, 'get'>): Promise<ApiResult<Webhook[]>> {
  const answer = await client.get(PATH);
  if (!answer.ok) return answer;
  const data = dataOf(answer);
  return Array.isArray(data)
    ? { ok: true, value: data.flatMap(webhookOf) }
    : unreadable(`GET ${PATH}`, answer, 'without a list of webhooks');
}

/** Creates one. What the answer says of the object is not to be trusted: read it again. */
export async function createWebhook(
  client: Pick<CapillaryClient, 'post'>,
  object: JsonObject,
): Promise<ApiResult<undefined>> {
  const answer = await client.post(PATH, object, {
    secrets: Object.values(headersOf(object['webHookHeaders'])),
  });
  return answer.ok ? { ok: true, value: undefined } : answer;
}

/**
 * Replaces one; what the object leaves out is reset. What the answer says of it is not to be
 * trusted: read it again.
 */
export async function replaceWebhook(
  client: Pick<CapillaryClient, 'put'>,
  id: string,
  object: JsonObject,
): Promise<ApiResult<undefined>> {
  const secrets = Object.values(headersOf(object['webHookHeaders']));
  const answer = await client.put(`${PATH}/${encodeURIComponent(id)}`, object, { secrets });
  return answer.ok ? { ok: true, value: undefined } : answer;
}

/**
 * The names of the events that the organisation can send. The call is in an old reference only.
 * @returns undefined if Capillary does not serve it
 */
export async function offeredEvents(
  client: Pick<CapillaryClient, 'get'>,
): Promise<readonly string[] | undefined> {
  const answer = await client.get(`${PATH}/eventMetaData`, { attempts: 1 });
  const data = answer.ok ? dataOf(answer) : undefined;
  if (!Array.isArray(data)) return undefined;
  const names = data.flatMap((entry) => {
    if (typeof entry === 'string') return [entry];
    return isJsonObject(entry) && entry['active'] !== false ? [textOf(entry['eventName'])] : [];
  });
  const known = names.filter((name) => name !== '');
  return known.length === 0 ? undefined : known;
}

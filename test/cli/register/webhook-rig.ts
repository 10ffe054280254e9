import type { ApiAnswer, ApiFailure } from '../../../src/capillary/api/api-answer.ts';
import type { Webhook } from '../../../src/capillary/api/webhooks.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { newWebhook, type WantedWebhook } from '../../../src/cli/register/wanted-webhook.ts';

export const WANTED: WantedWebhook = {
  name: 'acme-aep-relay',
  url: 'https://relay.example.com/webhooks/acme',
  eventNames: ['customerAdded', 'pointsIssued'],
  maxConnections: 10,
  header: { name: 'X-Relay-Key', value: 'value-of-the-header' },
};

/** As a GET would show it. */
export function webhookOf(object: JsonObject, id = '66f0000000000000000000a1'): Webhook {
  const { name, webHookUrl, webHookType, eventNames, webHookHeaders, active } = object;
  const identifiers = object['customerIdentifiersToBeEnriched'] as string[];
  return {
    id,
    name: name as string,
    active: active === true,
    url: webHookUrl as string,
    type: webHookType as string,
    eventNames: eventNames as string[],
    identifiers,
    headers: webHookHeaders as Record<string, string>,
    object: { webHookId: id, ...object },
  };
}

export function exactWebhook(changes: JsonObject = {}, id?: string): Webhook {
  return webhookOf({ ...newWebhook(WANTED), ...changes }, id);
}

export const LOST: ApiFailure = {
  ok: false,
  error: { kind: 'network', call: 'POST /v3/webHooks', code: 'reset', text: 'reset', ambiguous: true },
};

export function refused(code: string): ApiFailure {
  return {
    ok: false,
    error: { kind: 'invalid', call: 'POST /v3/webHooks', status: 400, code, text: 'no', ambiguous: false },
  };
}

type Answering = (write: {
  readonly method: string;
  readonly count: number;
  readonly land: () => void;
}) => ApiAnswer;

const OK: ApiAnswer = { ok: true, status: 200, body: {}, warnings: [], at: 0 };

/** Capillary's webhooks in memory; `answer` decides what becomes of the writes. */
export function webhooksInMemory(objects: readonly JsonObject[], answer?: Answering) {
  const stored = new Map(objects.map((object, index) => [`id-${index}`, object]));
  const writes: { readonly method: string; readonly path: string; readonly body: JsonObject }[] = [];
  const write = (method: string, path: string, body: JsonObject): ApiAnswer => {
    writes.push({ method, path, body });
    const land = (): void => {
      const id = method === 'POST' ? `id-${stored.size}` : (path.split('/').at(-1) ?? '');
      stored.set(id, { ...body, consumerGroupId: `group-of-${id}` });
    };
    if (answer !== undefined) return answer({ method, count: writes.length, land });
    land();
    return OK;
  };
  const client = {
    get: async (): Promise<ApiAnswer> => ({
      ok: true,
      status: 200,
      warnings: [],
      at: 0,
      body: { data: [...stored].map(([webHookId, object]) => ({ webHookId, ...object })), errors: null },
    }),
    post: async (path: string, body: JsonObject) => write('POST', path, body),
    put: async (path: string, body: JsonObject) => write('PUT', path, body),
  };
  return { client, stored, writes, OK };
}

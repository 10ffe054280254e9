import type { CapillaryOptions } from '../../../../src/simulator/capillary/api/capillary-options.ts';
import type { Simulator } from '../../../../src/simulator/simulator.ts';
import { simulate } from '../../adobe/adobe-client.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; undefined if it is not JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read into answers of many shapes
  readonly json: any;
}

export interface CallOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** Calls the simulated API once. */
export async function callApi(
  simulator: Simulator,
  method: string,
  path: string,
  { token, headers = {}, body }: CallOptions = {},
): Promise<ApiAnswer> {
  const answer = await fetch(`${simulator.capillaryUrl}${path}`, {
    method,
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { 'x-cap-api-oauth-token': token }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: answer.status, headers: answer.headers, text, json };
}

export function askToken(simulator: Simulator, key = 'northKey', secret = 'northSecret') {
  return callApi(simulator, 'POST', '/v3/oauth/token/generate', { body: { key, secret } });
}

/** A simulator and a caller with a token. */
export async function withCapillary(capillary: CapillaryOptions = {}, now?: () => number) {
  const simulator = await simulate({ capillary, ...(now ? { now } : {}) });
  const client = capillary.clients?.[0];
  const answer = await askToken(simulator, client?.key, client?.secret);
  const token: string = answer.json.data.accessToken;
  return {
    simulator,
    token,
    call: (method: string, path: string, options: CallOptions = {}) =>
      callApi(simulator, method, path, { token, ...options }),
  };
}

/** The claims of a token. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

/** The body of a webhook; `changes` replace its fields, undefined removes one. */
export function aWebhook(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const webhook = {
    name: 'relay',
    active: true,
    webHookType: 'HTTP',
    methodType: 'POST',
    webHookUrl: 'http://127.0.0.1:1/webhooks/acme',
    webHookHeaders: { 'X-Relay-Key': 'first', 'Content-Type': 'application/json' },
    eventNames: ['transactionAdded', 'pointsIssued'],
    maxAllowedConnections: 10,
    slaInSeconds: 60,
    customerIdentifiersToBeEnriched: ['Instore', 'cardnumbers'],
    tillDetailsEnrichmentEnabled: true,
    storeDetailsEnrichmentEnabled: true,
    ...changes,
  };
  return JSON.parse(JSON.stringify(webhook)) as Record<string, unknown>;
}

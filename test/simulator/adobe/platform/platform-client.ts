import type { Simulator } from '../../../../src/simulator/simulator.ts';
import { form, type Json, ORG, requestToken } from '../adobe-client.ts';

export interface PlatformAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

export const CLIENT = 'tealeaf-client';

/** Sends requests to the platform API with a valid token and the headers that it requires. */
export async function platformClient(
  simulator: Pick<Simulator, 'url' | 'imsUrl' | 'platformUrl'>,
  options: { readonly sandbox?: string; readonly clientId?: string } = {},
) {
  const { sandbox = 'dev', clientId = CLIENT } = options;
  const answer = await requestToken(simulator as Simulator, form({ client_id: clientId }));
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const standard: Record<string, string> = {
    authorization: `Bearer ${token}`,
    'x-api-key': clientId,
    'x-gw-ims-org-id': ORG,
    'x-sandbox-name': sandbox,
  };

  /** A header that is set to an empty string is left out. */
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<PlatformAnswer> => {
    const all = Object.entries({
      ...standard,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    }).filter(([, value]) => value !== '');
    const reply = await fetch(simulator.platformUrl + path, {
      method,
      headers: Object.fromEntries(all),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await reply.text();
    let json: Json = {};
    try {
      json = JSON.parse(text) as Json;
    } catch {
      // A refusal that a fault put in Adobe's place is not JSON.
    }
    return { status: reply.status, headers: reply.headers, text, json };
  };
  return {
    token,
    call,
    get: (path: string, headers?: Record<string, string>) => call('GET', path, undefined, headers),
    post: (path: string, body: unknown, headers?: Record<string, string>) =>
      call('POST', path, body, headers),
    put: (path: string, body: unknown, headers?: Record<string, string>) => call('PUT', path, body, headers),
    patch: (path: string, body: unknown, headers?: Record<string, string>) =>
      call('PATCH', path, body, headers),
    del: (path: string, headers?: Record<string, string>) => call('DELETE', path, undefined, headers),
  };
}

export type PlatformClient = Awaited<ReturnType<typeof platformClient>>;

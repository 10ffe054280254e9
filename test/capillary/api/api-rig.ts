import { onTestFinished } from 'vitest';
import { createCapillaryClient, type CapillaryClient } from '../../../src/capillary/api/capillary-client.ts';
import type { CapillaryApiConfig } from '../../../src/config/capillary-config.ts';
import {
  type ReceivedRequest,
  type Script,
  type ScriptedServer,
  sendJson,
  startServer,
} from '../../adobe/scripted-server.ts';

export const KEY = 'nwRelayKey0000000000001';
export const SECRET = 'secret-of-the-api-client-0123456789abcdef';

/** A token of the form that Capillary issues; the signature is not checked by anybody. */
export function jwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.signature`;
}

export function isTokenRequest({ url }: Pick<ReceivedRequest, 'url'>): boolean {
  return url === '/v3/oauth/token/generate';
}

export interface ApiRig {
  readonly client: CapillaryClient;
  readonly server: ScriptedServer;
  /** The waits that the client asked for, in ms; none of them takes time. */
  readonly waits: readonly number[];
  /** Requests other than those for a token. */
  readonly calls: () => readonly ReceivedRequest[];
  readonly tokenRequests: () => readonly ReceivedRequest[];
  readonly advance: (ms: number) => void;
}

export interface RigOptions {
  readonly api?: Partial<CapillaryApiConfig>;
  readonly ttlSeconds?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** In place of the token's own endpoint. */
  readonly token?: Script;
  readonly signal?: AbortSignal;
}

/**
 * A client and a server on loopback. The script answers what is not a request for a token. Time
 * passes by the waits of the client only, and by `advance`.
 */
export async function startApi(script: Script, options: RigOptions = {}): Promise<ApiRig> {
  const { ttlSeconds = 300, claims = { org_id: 100737 } } = options;
  let tokens = 0;
  let calls = 0;
  const server = await startServer((request, response, count) => {
    if (isTokenRequest(request)) {
      if (options.token !== undefined) return options.token(request, response, count);
      tokens += 1;
      const accessToken = jwt({ ...claims, jti: tokens });
      return sendJson(response, 200, { data: { accessToken, ttlSeconds }, errors: null });
    }
    calls += 1;
    return script(request, response, calls);
  });
  let time = 0;
  const waits: number[] = [];
  const client = createCapillaryClient({
    api: {
      url: server.origin,
      key: KEY,
      secret: SECRET,
      callsPerMinute: 60_000,
      concurrency: 4,
      timeout: 2_000,
      ...options.api,
    },
    now: () => time,
    monotonic: () => time,
    jitter: () => 0.5,
    wait: async (ms, signal) => {
      signal.throwIfAborted();
      waits.push(ms);
      time += ms;
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  onTestFinished(() => client.close());
  return {
    client,
    server,
    waits,
    calls: () => server.requests.filter((request) => !isTokenRequest(request)),
    tokenRequests: () => server.requests.filter(isTokenRequest),
    advance: (ms) => {
      time += ms;
    },
  };
}

import type { ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { onTestFinished, vi } from 'vitest';
import type { TokenResult, TokenSource } from '../../../src/adobe/ports.ts';
import { createTokenSource, type TokenSourceOptions } from '../../../src/adobe/ims/token-source.ts';
import { sendJson, type ScriptedServer, type Script, startServer } from '../scripted-server.ts';

export const START = 1_764_000_000_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token as IMS makes them; its signature is never checked. */
export function jwt(claims: Record<string, unknown>): string {
  return `${part({ alg: 'RS256', itt: 'at' })}.${part(claims)}.sig`;
}

export function sendToken(response: ServerResponse, token: string, expiresIn: unknown = 86_399): void {
  sendJson(response, 200, { access_token: token, token_type: 'bearer', expires_in: expiresIn });
}

export function sendError(
  response: ServerResponse,
  error: string,
  description: string,
  status = 400,
  headers: Record<string, string> = {},
): void {
  sendJson(response, status, { error, error_description: description }, headers);
}

export function sendWrongSecret(response: ServerResponse): void {
  sendError(response, 'invalid_client', 'invalid client_secret parameter');
}

export interface TokenSetup {
  readonly server: ScriptedServer;
  readonly source: TokenSource;
  /** A test may set both. */
  readonly clock: { wall: number; monotonic: number };
  /** Advances both clocks. */
  readonly advance: (ms: number) => void;
  readonly outcomes: readonly string[];
  /** Resolves once this many outcomes were reported. */
  readonly outcomesReported: (count: number) => Promise<void>;
  readonly get: () => Promise<TokenResult>;
  /** Number of requests started, whether or not they have arrived. */
  readonly requestsStarted: () => number;
}

export const never = new AbortController().signal;

/** Counts requests when they are started, not when they arrive, to prove that there was none. */
function countStartedRequests(): () => number {
  const spy = vi.spyOn(Pool.prototype, 'dispatch');
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.length;
}

/** A token source with a scripted IMS and clocks that a test advances. */
export async function setUp(script: Script, options: Partial<TokenSourceOptions> = {}): Promise<TokenSetup> {
  const server = await startServer(script);
  const clock = { wall: START, monotonic: 5_000 };
  const outcomes: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const source = createTokenSource({
    url: `${server.origin}/ims/token/v3`,
    clientId: 'id',
    clientSecrets: ['secret-one'],
    scopes: ['openid', 'AdobeID'],
    now: () => clock.wall,
    monotonic: () => clock.monotonic,
    jitter: () => 0.5,
    onMint: (outcome) => {
      outcomes.push(outcome);
      for (const { count, resolve } of waiting) if (outcomes.length >= count) resolve();
    },
    ...options,
  });
  onTestFinished(() => source.close());
  return {
    server,
    source,
    clock,
    outcomes,
    advance: (ms) => {
      clock.wall += ms;
      clock.monotonic += ms;
    },
    outcomesReported: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      if (outcomes.length >= count) resolve();
      return promise;
    },
    get: () => source.get(never),
    requestsStarted: countStartedRequests(),
  };
}

export function tokenOf(answer: TokenResult): string | undefined {
  return answer.ok ? answer.token : undefined;
}
export function waitOf(answer: TokenResult): number | undefined {
  return answer.ok ? undefined : answer.retryAfterMs;
}
export function codeOf(answer: TokenResult): string | undefined {
  return answer.ok ? undefined : answer.code;
}

import type { ServerResponse } from 'node:http';
import { Pool } from 'undici';
import { onTestFinished, vi } from 'vitest';
import type { TokenAnswer, TokenSource } from '../../src/adobe/answer.ts';
import { createTokenSource, type TokenSourceOptions } from '../../src/adobe/ims-client.ts';
import { answerJson, type ScriptedServer, type Script, startServer } from './scripted-server.ts';

export const START = 1_764_000_000_000;
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token as IMS makes them; the signature is never looked at. */
export const jwt = (claims: Record<string, unknown>): string =>
  `${part({ alg: 'RS256', itt: 'at' })}.${part(claims)}.sig`;

export const giveToken = (response: ServerResponse, token: string, expiresIn: unknown = 86_399): void =>
  answerJson(response, 200, { access_token: token, token_type: 'bearer', expires_in: expiresIn });

export const refuse = (
  response: ServerResponse,
  error: string,
  description: string,
  status = 400,
  headers: Record<string, string> = {},
): void => answerJson(response, status, { error, error_description: description }, headers);

export const wrongSecret = (response: ServerResponse): void =>
  refuse(response, 'invalid_client', 'invalid client_secret parameter');

export interface TokenSetup {
  readonly server: ScriptedServer;
  readonly source: TokenSource;
  /** Both can be set by a test. */
  readonly clock: { wall: number; steady: number };
  /** Sets both clocks forward. */
  readonly pass: (ms: number) => void;
  readonly outcomes: readonly string[];
  /** Resolves once so many outcomes have been told. */
  readonly told: (count: number) => Promise<void>;
  readonly get: () => Promise<TokenAnswer>;
  /** Requests begun, whether or not they have arrived yet. */
  readonly begun: () => number;
}

export const never = new AbortController().signal;

/** Counts requests at the moment they are begun, before they arrive anywhere: proof that none was. */
const countBegun = (): (() => number) => {
  const spy = vi.spyOn(Pool.prototype, 'dispatch');
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.length;
};

/** A token source before a scripted IMS, on clocks that stand still until told. */
export const setUp = async (
  script: Script,
  options: Partial<TokenSourceOptions> = {},
): Promise<TokenSetup> => {
  const server = await startServer(script);
  const clock = { wall: START, steady: 5_000 };
  const outcomes: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const source = createTokenSource({
    url: `${server.origin}/ims/token/v3`,
    clientId: 'id',
    clientSecrets: ['secret-one'],
    scopes: ['openid', 'AdobeID'],
    now: () => clock.wall,
    steady: () => clock.steady,
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
    pass: (ms) => {
      clock.wall += ms;
      clock.steady += ms;
    },
    told: (count) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ count, resolve });
      if (outcomes.length >= count) resolve();
      return promise;
    },
    get: () => source.get(never),
    begun: countBegun(),
  };
};

export const tokenOf = (answer: TokenAnswer): string | undefined => (answer.ok ? answer.token : undefined);
export const waitOf = (answer: TokenAnswer): number | undefined =>
  answer.ok ? undefined : answer.retryAfter;
export const codeOf = (answer: TokenAnswer): string | undefined => (answer.ok ? undefined : answer.code);

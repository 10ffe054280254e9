import { randomBytes, randomUUID } from 'node:crypto';
import type { CapillarySettings, SimulatedApiClient } from './capillary-options.ts';

/** The API client behind a token. */
export interface ApiCaller {
  readonly key: string;
  readonly orgId: number;
  /** False if it sees personal data as asterisks. */
  readonly hasPsiAccess: boolean;
  /** Code of its default till. */
  readonly till: string;
  readonly access: SimulatedApiClient['access'];
}

export type TokenCheck =
  | { readonly state: 'valid'; readonly caller: ApiCaller }
  | { readonly state: 'expired' | 'unknown' };

/** The clients and the tokens that they were given. */
export interface ApiTokens {
  /** The client with this key and secret; undefined if there is none. */
  clientOf(key: unknown, secret: unknown): ApiCaller | undefined;
  /** A token; with `known: false` no call accepts it. */
  generate(caller: ApiCaller, known: boolean): string;
  check(token: string | undefined): TokenCheck;
  /** Invalidates every token and returns how many there were. */
  revoke(): number;
  /** Number of tokens handed out. */
  generated(): number;
}

interface IssuedToken {
  readonly caller: ApiCaller;
  readonly createdAt: number;
}

/** How long the switch for reuse returns the same token. */
const REUSE_MS = 30_000;

/** Expired tokens are kept, so that they differ from unknown ones; beyond this many not all. */
const MAX_TOKENS = 10_000;

const DEFAULT_TILL = 'relay.till';

function jwtPart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A JWT in the form of RS256 with a random signature: calls look tokens up instead. */
function makeToken(caller: ApiCaller, now: number, ttlSeconds: number): string {
  const issuedAt = Math.floor(now / 1_000);
  const claims = {
    iss: 'https://simulated.capillary.example',
    sub: caller.key,
    client_id: caller.key,
    client_key: caller.key,
    org_id: caller.orgId,
    token_use: 'access',
    default_till: caller.till,
    has_psi_access: caller.hasPsiAccess,
    scopes: [],
    iat: issuedAt,
    exp: issuedAt + ttlSeconds,
    jti: randomUUID(),
  };
  return `${jwtPart({ alg: 'RS256', typ: 'JWT', kid: 'sim-1' })}.${jwtPart(claims)}.${randomBytes(256).toString('base64url')}`;
}

function callerOf(client: SimulatedApiClient, orgId: number): ApiCaller {
  return {
    key: client.key,
    orgId: client.orgId ?? orgId,
    hasPsiAccess: client.psiAccess ?? true,
    till: client.till ?? DEFAULT_TILL,
    access: client.access,
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** A new token does not invalidate older ones (docs/platforms/capillary.md#api-access). */
export function createApiTokens(settings: CapillarySettings, now: () => number): ApiTokens {
  const issued = new Map<string, IssuedToken>();
  const ttlMs = settings.tokenTtlSeconds * 1_000;
  let count = 0;

  const reusable = (key: string): string | undefined => {
    if (!settings.tokenReuse) return undefined;
    for (const [token, { caller, createdAt }] of issued) {
      if (caller.key === key && now() - createdAt < REUSE_MS) return token;
    }
    return undefined;
  };

  const issue = (caller: ApiCaller, known: boolean): string => {
    const createdAt = now();
    const token = makeToken(caller, createdAt, settings.tokenTtlSeconds);
    if (known) issued.set(token, { caller, createdAt });
    const [oldest] = issued.keys();
    if (issued.size > MAX_TOKENS && oldest !== undefined) issued.delete(oldest);
    return token;
  };

  return {
    clientOf: (key, secret) => {
      if (!isText(key) || !isText(secret)) return undefined;
      const client = settings.clients
        ? settings.clients.find((candidate) => candidate.key === key && candidate.secret === secret)
        : { key, secret };
      return client && callerOf(client, settings.orgId);
    },
    generate: (caller, known) => {
      count += 1;
      return reusable(caller.key) ?? issue(caller, known);
    },
    check: (token) => {
      const found = token === undefined ? undefined : issued.get(token);
      if (!found) return { state: 'unknown' };
      return now() < found.createdAt + ttlMs
        ? { state: 'valid', caller: found.caller }
        : { state: 'expired' };
    },
    revoke: () => {
      const revoked = issued.size;
      issued.clear();
      return revoked;
    },
    generated: () => count,
  };
}

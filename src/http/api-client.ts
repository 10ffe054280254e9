import { setTimeout as sleep } from 'node:timers/promises';
import type { Egress } from './egress.ts';
import type { OutboundResult } from './outbound.ts';

/** Options of every client of a platform's API. */
export interface ApiClientOptions<ApiFailure> {
  /** Default: without a proxy. */
  readonly egress?: Egress;
  /** Ends all calls: they then throw its reason. */
  readonly signal?: AbortSignal;
  /** Epoch ms. */
  readonly now?: () => number;
  /** Waits before another attempt. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Called before each wait for another attempt, to show why it takes long. */
  readonly onWait?: (ms: number, error: ApiFailure) => void;
}

/** A longer Retry-After ends the call: a person can run the command again later. */
export const MAX_CALL_WAIT_MS = 120_000;

/** @throws the signal's reason */
export async function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal });
}

/**
 * Whether a failure of the network stays until somebody changes something: a certificate that is
 * not trusted, or a proxy that refuses.
 * @param code of a Failure
 */
export function isLasting(code: string | undefined): boolean {
  return code === 'tls' || code === 'proxy-refused';
}

/** Shorter values are not replaced: no real secret is that short, and texts would be unreadable. */
const MIN_SECRET_LENGTH = 8;

/** An answer can echo what was sent: the result without these values. */
export function withoutSecrets(result: OutboundResult, secrets: readonly string[]): OutboundResult {
  if (result.kind === 'failure') return result;
  const body = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    // JSON writes some characters of a secret otherwise.
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
    .reduce((text, secret) => text.replaceAll(secret, '[secret]'), result.body);
  return { ...result, body };
}

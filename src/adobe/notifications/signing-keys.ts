import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Egress } from '../../http/egress.ts';
import { send, USER_AGENT } from '../../http/outbound.ts';

/** `unavailable`: it could not be read now. `unknown`: there is no such key. */
export type SigningKey = KeyObject | 'unknown' | 'unavailable';

/** The public keys with which Adobe's notifications are verified, by their paths. */
export interface SigningKeys {
  get(path: string): Promise<SigningKey>;
  close(): Promise<void>;
}

export interface SigningKeysOptions {
  /** Where Adobe publishes them; nothing else is ever asked. */
  readonly host: string;
  readonly egress: Egress;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Source: docs/platforms/adobe.md#notifications */
const KEY_PATH = /^\/prod\/keys\/[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.pem$/;
const TIMEOUT_MS = 5_000;
const MAX_KEY_BYTES = 16_384;
/** Adobe replaces a key by one with another path. */
const KEPT_MS = 86_400_000;
const KEPT_UNKNOWN_MS = 60_000;
/** The sender of a request chooses the paths, so both are few. */
const MAX_KEPT = 32;
const MAX_FETCHES_PER_MINUTE = 12;
const MINUTE_MS = 60_000;

function keyIn(pem: string): SigningKey {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'rsa' ? key : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Reads keys when they are needed for the first time, and keeps them for a day. */
export function createSigningKeys({ host, egress, now }: SigningKeysOptions): SigningKeys {
  const base = new URL(host);
  const prefix = base.pathname.replace(/\/$/, '');
  const pool = egress.pool(base.origin, { connections: 1, timeoutMs: TIMEOUT_MS });
  const closing = new AbortController();
  const kept = new Map<string, { readonly key: SigningKey; readonly until: number }>();
  const reading = new Map<string, Promise<SigningKey>>();
  let fetches: number[] = [];

  const fetchKey = async (path: string): Promise<SigningKey> => {
    const headers = { accept: '*/*', 'user-agent': USER_AGENT };
    const request = { method: 'GET', path: prefix + path, headers } as const;
    const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_KEY_BYTES };
    const result = await send(pool, { ...request, ...limits }, closing.signal);
    if (result.kind === 'failure' || result.status === 429 || result.status >= 500) return 'unavailable';
    return result.status === 200 && !result.truncated ? keyIn(result.body) : 'unknown';
  };

  const keep = (path: string, key: SigningKey): void => {
    kept.delete(path);
    if (key === 'unavailable') return;
    kept.set(path, { key, until: now() + (key === 'unknown' ? KEPT_UNKNOWN_MS : KEPT_MS) });
    const unknown = [...kept].find(([, entry]) => entry.key === 'unknown') ?? [...kept][0];
    if (kept.size > MAX_KEPT && unknown !== undefined) kept.delete(unknown[0]);
  };

  const read = async (path: string): Promise<SigningKey> => {
    fetches = fetches.filter((at) => at > now() - MINUTE_MS);
    if (fetches.length >= MAX_FETCHES_PER_MINUTE) return 'unavailable';
    fetches.push(now());
    const key = await fetchKey(path);
    keep(path, key);
    return key;
  };

  return {
    async get(path) {
      if (!KEY_PATH.test(path)) return 'unknown';
      const known = kept.get(path);
      if (known !== undefined && known.until > now()) return known.key;
      const pending = reading.get(path) ?? read(path).finally(() => reading.delete(path));
      reading.set(path, pending);
      return pending;
    },
    async close() {
      closing.abort(new Error('closed'));
      await pool.destroy();
    },
  };
}

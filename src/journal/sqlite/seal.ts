import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/*
 * What is stored is `0 | plain` without keys, or `1 | key id (4) | iv (12) | tag (16) | ciphertext` with them. So what was written before
 * keys were configured can be read after, and an old key opens what it closed. A key may close 2^32 payloads: its ivs are random.
 */
const CLEAR = 0;
const SEALED = 1;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + IV_BYTES + TAG_BYTES;

/** Closes payloads for the disk and opens them again. */
export interface Seal {
  close(plain: Uint8Array): Uint8Array;
  /** Undefined when the payload is damaged or its key is not among those given. */
  open(stored: Uint8Array): Buffer | undefined;
  /** Hex digits that tell the first key, which are stored with all that it closes; undefined without keys. */
  readonly keyId: string | undefined;
  /** True for what was closed as `close` closes now. */
  isCurrent(stored: Uint8Array): boolean;
}

/**
 * Reads a key of `store.encryptionKeys`: 32 bytes as base64 or as 64 hex digits.
 * @throws Error that says what a key must be, without showing the text.
 */
export function parseKey(text: string): Buffer {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/iu.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/u.test(trimmed)) {
    const key = Buffer.from(trimmed, 'base64');
    if (key.length === 32) return key;
  }
  throw new Error(
    'an encryption key must be 32 random bytes as base64 (44 characters) or as 64 hex digits; `openssl rand -base64 32` makes one',
  );
}

function keyIdOf(key: Uint8Array): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES);
}

/** Hex digits that tell a key of `store.encryptionKeys`; nothing of the key can be found out from them. */
export function keyIdText(key: Uint8Array): string {
  return keyIdOf(key).toString('hex');
}

function closeClear(plain: Uint8Array): Uint8Array {
  const stored = new Uint8Array(plain.length + 1);
  stored[0] = CLEAR;
  stored.set(plain, 1);
  return stored;
}

function closeWith(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const text = cipher.update(plain);
  cipher.final();
  return Buffer.concat([Buffer.of(SEALED), keyIdOf(key), iv, cipher.getAuthTag(), text]);
}

function openWith(key: Uint8Array, stored: Buffer): Buffer | undefined {
  const iv = stored.subarray(1 + KEY_ID_BYTES, 1 + KEY_ID_BYTES + IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(stored.subarray(HEADER_BYTES - TAG_BYTES, HEADER_BYTES));
  try {
    const plain = decipher.update(stored.subarray(HEADER_BYTES));
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** A seal that closes with the first key, or leaves payloads clear when there is none, and opens with any of them. */
export function createSeal(keys: readonly Uint8Array[]): Seal {
  const byId = new Map(keys.map((key) => [keyIdText(key), key]));
  const newest = keys[0];
  const prefix = newest === undefined ? Buffer.of(CLEAR) : Buffer.of(SEALED, ...keyIdOf(newest));
  return {
    keyId: newest === undefined ? undefined : keyIdText(newest),
    isCurrent: (stored) => prefix.equals(stored.subarray(0, prefix.length)),
    close: (plain) => (newest === undefined ? closeClear(plain) : closeWith(newest, plain)),
    open: (bytes) => {
      const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (stored[0] === CLEAR) return stored.subarray(1);
      if (stored[0] !== SEALED || stored.length < HEADER_BYTES) return undefined;
      const key = byId.get(stored.toString('hex', 1, 1 + KEY_ID_BYTES));
      return key === undefined ? undefined : openWith(key, stored);
    },
  };
}

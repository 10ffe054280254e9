import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/*
 * Stored form: `0 | plain` without keys, or `1 | key id (4) | iv (12) | tag (16) | ciphertext` with
 * AES-256-GCM. Payloads written before keys were configured stay readable, and each old key
 * decrypts what it encrypted. Because ivs are random, one key may encrypt up to 2^32 payloads.
 */
const PLAIN = 0;
const ENCRYPTED = 1;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + IV_BYTES + TAG_BYTES;

/** Encrypts payloads for the disk and decrypts them. */
export interface PayloadCipher {
  encrypt(plain: Uint8Array): Uint8Array;
  /** Undefined if the payload is damaged or its key is not configured. */
  decrypt(stored: Uint8Array): Buffer | undefined;
  /** Identifies the first key, as hex digits, in everything it encrypts; undefined without keys. */
  readonly keyId: string | undefined;
  /** True if the payload was written as `encrypt` writes now. */
  isCurrent(stored: Uint8Array): boolean;
}

/**
 * Parses a key of `store.encryptionKeys`: 32 bytes as base64 or as 64 hex digits.
 * @throws Error that describes a valid key, without showing the text
 */
export function parseKey(text: string): Buffer {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/iu.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/u.test(trimmed)) {
    const key = Buffer.from(trimmed, 'base64');
    if (key.length === 32) return key;
  }
  throw new Error(
    'an encryption key must be 32 random bytes as base64 (44 characters) or as 64 hex digits; ' +
      'generate one with `openssl rand -base64 32`',
  );
}

function keyIdOf(key: Uint8Array): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES);
}

/** Identifies a key of `store.encryptionKeys` by hex digits that reveal nothing about the key. */
export function keyIdHex(key: Uint8Array): string {
  return keyIdOf(key).toString('hex');
}

function withoutEncryption(plain: Uint8Array): Uint8Array {
  const stored = new Uint8Array(plain.length + 1);
  stored[0] = PLAIN;
  stored.set(plain, 1);
  return stored;
}

function encryptWith(key: Uint8Array, plain: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const text = cipher.update(plain);
  cipher.final();
  return Buffer.concat([Buffer.of(ENCRYPTED), keyIdOf(key), iv, cipher.getAuthTag(), text]);
}

function decryptWith(key: Uint8Array, stored: Buffer): Buffer | undefined {
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

/** Encrypts with the first key, or not at all without keys, and decrypts with any of the keys. */
export function createPayloadCipher(keys: readonly Uint8Array[]): PayloadCipher {
  const byId = new Map(keys.map((key) => [keyIdHex(key), key]));
  const first = keys[0];
  const prefix = first === undefined ? Buffer.of(PLAIN) : Buffer.of(ENCRYPTED, ...keyIdOf(first));
  return {
    keyId: first === undefined ? undefined : keyIdHex(first),
    isCurrent: (stored) => prefix.equals(stored.subarray(0, prefix.length)),
    encrypt: (plain) => (first === undefined ? withoutEncryption(plain) : encryptWith(first, plain)),
    decrypt: (bytes) => {
      const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (stored[0] === PLAIN) return stored.subarray(1);
      if (stored[0] !== ENCRYPTED || stored.length < HEADER_BYTES) return undefined;
      const key = byId.get(stored.toString('hex', 1, 1 + KEY_ID_BYTES));
      return key === undefined ? undefined : decryptWith(key, stored);
    },
  };
}

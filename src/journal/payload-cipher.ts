import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { crc32 } from 'node:zlib';

/*
 * Stored form: `6 | crc32 (4) | plain` without keys, or `1 | key id (4) | iv (12) | tag (16) |
 * ciphertext` with AES-256-GCM, whose tag is the checksum. Each old key decrypts what it encrypted,
 * whatever was written before keys were configured stays readable, and so does `0 | plain`, which
 * earlier versions wrote. 6 differs from the others in two bits, so that one flipped bit makes no
 * other form of it. Because ivs are random, one key may encrypt up to 2^32 payloads.
 */
const UNCHECKED = 0;
const ENCRYPTED = 1;
const CHECKED = 6;
const CRC_BYTES = 4;
const CHECKED_HEADER_BYTES = 1 + CRC_BYTES;
const KEY_ID_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + IV_BYTES + TAG_BYTES;

/** Why a stored payload cannot be read: for good, or until its key is configured. */
export type Unreadable = 'damaged' | 'key-unknown';

/** Why a payload is not there; `page-damaged`: the file cannot be read where it is stored. */
export type Loss = Unreadable | 'page-damaged' | 'missing';

/** Encrypts payloads for the disk, or gives them a checksum, and reads them again. */
export interface PayloadCipher {
  encrypt(plain: Uint8Array): Uint8Array;
  decrypt(stored: Uint8Array): Buffer | Unreadable;
  /** Identifies what `encrypt` writes: the first key by hex digits, or `crc32` without keys. */
  readonly formId: string;
  /** True if the payload was written as `encrypt` writes now. */
  isCurrent(stored: Uint8Array): boolean;
}

/** Whether `decrypt` returned the payload. */
export function isReadable(decrypted: Buffer | Unreadable): decrypted is Buffer {
  return typeof decrypted !== 'string';
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

function withChecksum(plain: Uint8Array): Uint8Array {
  const stored = Buffer.allocUnsafe(CHECKED_HEADER_BYTES + plain.length);
  stored[0] = CHECKED;
  stored.writeUInt32BE(crc32(plain), 1);
  stored.set(plain, CHECKED_HEADER_BYTES);
  return stored;
}

function readChecked(stored: Buffer): Buffer | Unreadable {
  if (stored.length < CHECKED_HEADER_BYTES) return 'damaged';
  const plain = stored.subarray(CHECKED_HEADER_BYTES);
  return crc32(plain) === stored.readUInt32BE(1) ? plain : 'damaged';
}

interface Key {
  readonly id: Buffer;
  /** A cipher with the bytes of a key makes this again each time, which takes most of its time. */
  readonly secret: KeyObject;
}

function toKey(bytes: Uint8Array): Key {
  return { id: keyIdOf(bytes), secret: createSecretKey(bytes) };
}

function encryptWith({ id, secret }: Key, plain: Uint8Array): Uint8Array {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', secret, iv);
  const text = cipher.update(plain);
  cipher.final();
  return Buffer.concat([Buffer.of(ENCRYPTED), id, iv, cipher.getAuthTag(), text]);
}

/** Undefined if the key did not encrypt exactly this. */
function decryptWith({ secret }: Key, stored: Buffer): Buffer | undefined {
  const iv = stored.subarray(1 + KEY_ID_BYTES, 1 + KEY_ID_BYTES + IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', secret, iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(stored.subarray(HEADER_BYTES - TAG_BYTES, HEADER_BYTES));
  try {
    const plain = decipher.update(stored.subarray(HEADER_BYTES));
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/**
 * Reads an encrypted payload. If its key id is unknown, that can itself be damaged, so every key is
 * tried.
 */
function readEncrypted(keys: ReadonlyMap<string, Key>, stored: Buffer): Buffer | Unreadable {
  if (stored.length < HEADER_BYTES) return 'damaged';
  const key = keys.get(stored.toString('hex', 1, 1 + KEY_ID_BYTES));
  if (key !== undefined) return decryptWith(key, stored) ?? 'damaged';
  for (const each of keys.values()) {
    const plain = decryptWith(each, stored);
    if (plain !== undefined) return plain;
  }
  return 'key-unknown';
}

/**
 * Encrypts with the first key, or adds a checksum without keys, and reads what any of the keys
 * encrypted.
 * @param isComplete whether everything stored has the form of `encrypt`: then what has another form
 *   is damaged
 */
export function createPayloadCipher(keys: readonly Uint8Array[], isComplete = () => false): PayloadCipher {
  const all = keys.map(toKey);
  const byId = new Map(all.map((key) => [key.id.toString('hex'), key]));
  const first = all[0];
  const prefix = first === undefined ? Buffer.of(CHECKED) : Buffer.of(ENCRYPTED, ...first.id);
  const readUnchecked = (stored: Buffer): Buffer | Unreadable => {
    // A flipped bit in the first byte of an encrypted payload.
    const isEncrypted = byId.has(stored.toString('hex', 1, 1 + KEY_ID_BYTES));
    return isEncrypted || isComplete() ? 'damaged' : stored.subarray(1);
  };
  return {
    formId: first === undefined ? 'crc32' : first.id.toString('hex'),
    isCurrent: (stored) => prefix.equals(stored.subarray(0, prefix.length)),
    encrypt: (plain) => (first === undefined ? withChecksum(plain) : encryptWith(first, plain)),
    decrypt: (bytes) => {
      const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (stored[0] === CHECKED) return readChecked(stored);
      if (stored[0] === UNCHECKED) return readUnchecked(stored);
      if (stored[0] !== ENCRYPTED) return 'damaged';
      const plain = readEncrypted(byId, stored);
      return plain === 'key-unknown' && isComplete() ? 'damaged' : plain;
    },
  };
}

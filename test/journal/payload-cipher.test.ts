import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPayloadCipher, parseKey } from '../../src/journal/sqlite/engine/payload-cipher.ts';

const HEX = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const KEY = Buffer.from(HEX, 'hex');
const OTHER = Buffer.alloc(32, 7);
const TEXT = Buffer.from('attack at dawn');
/**
 * TEXT encrypted with KEY by another implementation of AES-256-GCM, with an iv of 0x01: version,
 * key id, iv, tag, ciphertext.
 */
const VECTOR = Buffer.from(
  [
    '01',
    '630dcd29',
    '01'.repeat(12),
    'd7117e7cde9209868dc33cf096bae623',
    '16b791540bee4807a07403796f09',
  ].join(''),
  'hex',
);

describe('parseKey', () => {
  it.each([HEX, HEX.toUpperCase(), KEY.toString('base64'), KEY.toString('base64url'), ` ${HEX}\n`])(
    'reads %j',
    (text) => {
      expect(parseKey(text)).toEqual(KEY);
    },
  );

  it.each(['secret', HEX.slice(2), `${HEX}00`, KEY.toString('base64').slice(4), `${'*'.repeat(43)}=`])(
    'refuses %j and does not show it',
    (text) => {
      const parse = () => parseKey(text);
      expect(parse).toThrow(/must be 32 random bytes as base64 \(44 characters\) or as 64 hex digits/u);
      expect(parse).not.toThrow(text);
    },
  );
});

describe('a payload cipher', () => {
  it('decrypts the documented stored form', () => {
    expect(createPayloadCipher([KEY]).decrypt(VECTOR)).toEqual(TEXT);
    expect(createPayloadCipher([]).decrypt(Buffer.from('00616263', 'hex'))?.toString()).toBe('abc');
  });

  it('encrypts to the documented stored form, with a new iv each time', () => {
    const cipher = createPayloadCipher([KEY, OTHER]);
    const stored = Buffer.from(cipher.encrypt(TEXT));
    expect(stored.subarray(0, 5)).toEqual(VECTOR.subarray(0, 5));
    expect(stored).toHaveLength(VECTOR.length);
    expect(stored.includes(TEXT)).toBe(false);
    expect(Buffer.from(cipher.encrypt(TEXT))).not.toEqual(stored);
  });

  it('decrypts whatever it encrypted, with and without keys', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const keys = fc.constantFrom([], [KEY], [OTHER, KEY]);
    expect.hasAssertions();
    fc.assert(
      fc.property(bytes, keys, (plain, chosen) => {
        const cipher = createPayloadCipher(chosen);
        expect(cipher.decrypt(cipher.encrypt(plain))).toEqual(Buffer.from(plain));
      }),
    );
  });

  it('decrypts payloads written without keys and with older keys', () => {
    const unencrypted = createPayloadCipher([]).encrypt(TEXT);
    const old = createPayloadCipher([OTHER]).encrypt(TEXT);
    const cipher = createPayloadCipher([KEY, OTHER]);
    expect(cipher.decrypt(unencrypted)).toEqual(TEXT);
    expect(cipher.decrypt(old)).toEqual(TEXT);
  });

  it('does not decrypt damaged payloads, those of another key, or unknown forms', () => {
    const cipher = createPayloadCipher([KEY]);
    expect(createPayloadCipher([OTHER]).decrypt(VECTOR)).toBeUndefined();
    expect(createPayloadCipher([]).decrypt(VECTOR)).toBeUndefined();
    for (let at = 0; at < VECTOR.length; at += 1) {
      const damaged = Buffer.from(VECTOR);
      damaged[at] = 0xff & (VECTOR.readUInt8(at) ^ 0x80);
      expect(cipher.decrypt(damaged)).toBeUndefined();
    }
    for (const stored of [
      Buffer.alloc(0),
      VECTOR.subarray(0, 20),
      VECTOR.subarray(0, -1),
      Buffer.of(2, 1, 1),
    ])
      expect(cipher.decrypt(stored)).toBeUndefined();
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPayloadCipher, parseKey } from '../../src/journal/payload-cipher.ts';

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
    for (const text of ['00616263', '06352441c2616263'])
      expect(createPayloadCipher([]).decrypt(Buffer.from(text, 'hex')).toString()).toBe('abc');
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
    expect(createPayloadCipher([OTHER]).decrypt(VECTOR)).toBe('key-unknown');
    expect(createPayloadCipher([]).decrypt(VECTOR)).toBe('key-unknown');
    expect(createPayloadCipher([OTHER], () => true).decrypt(VECTOR)).toBe('damaged');
    for (const stored of [
      Buffer.alloc(0),
      VECTOR.subarray(0, 20),
      VECTOR.subarray(0, -1),
      Buffer.of(2, 1, 1),
      Buffer.of(6, 0, 0),
    ])
      expect(cipher.decrypt(stored)).toBe('damaged');
  });

  it('finds every flipped bit, except in the key id, which it does not need', () => {
    for (const keys of [[], [KEY], [OTHER, KEY]]) {
      const cipher = createPayloadCipher(keys);
      const sound = Buffer.from(cipher.encrypt(TEXT));
      for (let bit = 0; bit < sound.length * 8; bit += 1) {
        const at = bit >> 3;
        const stored = Buffer.from(sound);
        stored[at] = sound.readUInt8(at) ^ (1 << (bit & 7));
        const isKeyId = keys.length > 0 && at > 0 && at < 5;
        expect(cipher.decrypt(stored)).toEqual(isKeyId ? TEXT : 'damaged');
      }
    }
  });
});

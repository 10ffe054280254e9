import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseEncryptionKey } from '../../src/config/encryption-key.ts';

it('reads 32 bytes written as base64, base64url or hex', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const key = Buffer.from(bytes);
      for (const encoding of ['base64', 'base64url', 'hex'] as const)
        expect(parseEncryptionKey(key.toString(encoding))).toEqual(key);
      expect(parseEncryptionKey(key.toString('hex').toUpperCase())).toEqual(key);
    }),
  );
});

it('refuses every other length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      fc.pre(bytes.length !== 32);
      const key = Buffer.from(bytes);
      expect(parseEncryptionKey(key.toString('base64'))).toBeUndefined();
      // 24 bytes are as many hexadecimal digits as 36 bytes are base64 letters, never 43 or 64.
      expect(parseEncryptionKey(key.toString('hex'))).toBeUndefined();
    }),
  );
});

it.each(['', 'secret', '!'.repeat(43), `${'A'.repeat(43)}==`, ` ${'A'.repeat(43)}`, 'z'.repeat(64)])(
  'refuses %j',
  (text) => {
    expect(parseEncryptionKey(text)).toBeUndefined();
  },
);

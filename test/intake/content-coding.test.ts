import * as fc from 'fast-check';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { inflateBody, isCoded } from '../../src/intake/content-coding.ts';

const TEXT = `{"eventName":"pointsIssued","pad":"${'x'.repeat(300)}"}`;
const BODY = Buffer.from(TEXT);
const LIMIT = 10_000;

async function inflated(body: Buffer, header?: string, limit = LIMIT): Promise<string> {
  const result = await inflateBody(body, header, limit);
  return result.outcome === 'inflated' ? result.body.toString() : result.outcome;
}

describe('a body with a Content-Encoding', () => {
  test.each<[string, Buffer]>([
    ['gzip', gzipSync(BODY)],
    ['x-gzip', gzipSync(BODY)],
    ['GZIP', gzipSync(BODY)],
    [' gzip , identity', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
    ['deflate', deflateRawSync(BODY)],
    ['br', brotliCompressSync(BODY)],
    ['Br', brotliCompressSync(BODY)],
    ['deflate, gzip', gzipSync(deflateSync(BODY))],
    ['gzip, gzip, br', brotliCompressSync(gzipSync(gzipSync(BODY)))],
    ['gzip', Buffer.concat([gzipSync(BODY.subarray(0, 9)), gzipSync(BODY.subarray(9))])],
    ['identity', BODY],
    ['', BODY],
  ])('%j is inflated', async (header, body) => {
    expect(await inflated(body, header)).toBe(TEXT);
  });

  test.each<[string, string, Buffer]>([
    ['gzip', 'not compressed', BODY],
    ['br', 'not compressed', BODY],
    ['deflate', 'not compressed', BODY],
    ['utf-8', 'no coding at all', BODY],
    ['zstd', 'another coding', gzipSync(BODY)],
    ['br', 'another coding', gzipSync(BODY)],
    ['gzip, gzip, gzip, gzip', 'too many', BODY],
  ])('%s is ignored if the body is readable: %s', async (header, _what, body) => {
    expect(await inflated(body, header)).toBe(TEXT);
  });

  test.each<[string, string, Buffer]>([
    ['gzip', 'cut off', gzipSync(BODY).subarray(0, -9)],
    ['gzip', 'damaged', Buffer.concat([gzipSync(BODY).subarray(0, 12), Buffer.from('damaged')])],
    ['br', 'cut off', brotliCompressSync(BODY).subarray(0, -3)],
    ['deflate', 'cut off', deflateSync(BODY).subarray(0, -9)],
    ['zstd', 'unknown', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3])],
    ['gzip, gzip, gzip, gzip', 'too many', gzipSync(gzipSync(gzipSync(gzipSync(BODY))))],
  ])('%s is unreadable if the body is %s', async (header, _what, body) => {
    expect(await inflated(body, header)).toBe('unreadable');
  });

  test('never becomes larger than the limit, in no step', async () => {
    const exact = Buffer.alloc(LIMIT, ' ');
    expect(await inflated(gzipSync(exact), 'gzip')).toHaveLength(LIMIT);
    for (const bomb of [Buffer.alloc(LIMIT + 1, ' '), Buffer.alloc(50_000_000)]) {
      expect(await inflated(gzipSync(bomb), 'gzip')).toBe('too-large');
      expect(await inflated(deflateRawSync(bomb), 'deflate')).toBe('too-large');
      expect(await inflated(brotliCompressSync(bomb, { params: { 1: 1 } }), 'br')).toBe('too-large');
      expect(await inflated(gzipSync(gzipSync(bomb)), 'gzip, gzip')).toBe('too-large');
      expect(await inflated(gzipSync(bomb))).toBe('too-large');
    }
  });
});

describe('a compressed body without a Content-Encoding', () => {
  test.each<[string, Buffer]>([
    ['gzip', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
    ['raw deflate', deflateRawSync(BODY)],
    ['br', brotliCompressSync(BODY)],
  ])('is recognised: %s', async (_name, body) => {
    expect(isCoded(body, undefined)).toBe(true);
    expect(await inflated(body)).toBe(TEXT);
  });

  test('is left as it is if it is nothing known, or does not become JSON', async () => {
    expect(await inflated(Buffer.from('eventName=pointsIssued'))).toBe('eventName=pointsIssued');
    for (const body of [gzipSync(' no JSON'), deflateRawSync('{"cut":'), brotliCompressSync(' ')])
      expect(await inflateBody(body, undefined, LIMIT)).toEqual({ outcome: 'inflated', body });
  });

  test('is recognised in UTF-16, Latin-1, and with a header that is wrong or doubled', async () => {
    for (const encoding of ['utf16le', 'latin1'] as const) {
      const body = Buffer.from('{"name":"José"}', encoding);
      expect(await inflateBody(gzipSync(body), undefined, LIMIT)).toEqual({ outcome: 'inflated', body });
    }
    expect(await inflated(gzipSync(BODY), 'gzip, gzip')).toBe(TEXT);
    expect(await inflated(deflateSync(BODY), 'gzip')).toBe(TEXT);
  });
});

test.each<[string | undefined, Buffer]>([
  [undefined, BODY],
  ['identity', BODY],
  [' , Identity', BODY],
  [undefined, Buffer.from(` [${TEXT}]`)],
  [undefined, Buffer.from(`\uFEFF${TEXT}`)],
  [undefined, Buffer.alloc(0)],
])('%j needs no inflating', (header, body) => {
  expect(isCoded(body, header)).toBe(false);
});

test('no bytes and no header cause an exception', async () => {
  expect.hasAssertions();
  const header = fc.oneof(
    fc.constantFrom('gzip', 'deflate', 'br', 'gzip, br', 'constructor', '__proto__'),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.option(header, { nil: undefined }), async (body, coding) => {
      expect(['inflated', 'unreadable', 'too-large']).toContain(
        (await inflateBody(Buffer.from(body), coding, 100)).outcome,
      );
    }),
  );
});

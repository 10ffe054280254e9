import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBodyText, toStoredBody } from '../../src/capillary/body-text.ts';

const NAME = '{"name":"José Müller – 5 €"}';

/** The text in UTF-16, big endian. */
function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** What is read from a body that is stored after it was received. */
function textOf(body: Uint8Array, contentType?: string): string {
  return readBodyText(toStoredBody(body, contentType)).text;
}

describe('a body without a charset', () => {
  test('is UTF-8, with or without a byte order mark', () => {
    expect(readBodyText(Buffer.from(NAME))).toEqual({ text: NAME, isWindows1252: false });
    expect(readBodyText(Buffer.from(`\uFEFF${NAME}`))).toEqual({ text: NAME, isWindows1252: false });
  });

  test('is Windows-1252 if it is not UTF-8, all 256 bytes of it', () => {
    const high = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž ‘’“”•–—˜™š›œ žŸ';
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 0x80 + index));
    const { text, isWindows1252 } = readBodyText(bytes);
    expect(isWindows1252).toBe(true);
    expect(text.replaceAll(/[\u0080-\u009F]+/g, ' ').replaceAll(/ +/g, ' ')).toBe(high);
    expect(readBodyText(Buffer.from('José', 'latin1')).text).toBe('José');
    expect(readBodyText(Buffer.from([0xff, 0x41])).text).toBe('ÿA');
  });

  test('is UTF-16 if it starts with its byte order mark or with half a character', () => {
    for (const mark of ['\uFEFF', '']) {
      expect(textOf(Buffer.from(mark + NAME, 'utf16le'))).toBe(NAME);
      expect(textOf(utf16be(mark + NAME))).toBe(NAME);
    }
  });

  test('is stored as it was received', () => {
    for (const body of [Buffer.from(NAME), Buffer.from('José', 'latin1'), Buffer.alloc(0), Buffer.from('1')])
      expect(toStoredBody(body, 'application/json')).toBe(body);
  });
});

describe('the charset of the content type', () => {
  const latin1 = Buffer.from('{"name":"José"}', 'latin1');

  test.each([
    'application/json; charset=iso-8859-1',
    'application/json;charset=ISO-8859-1',
    'application/json; charset="latin1"; profile=x',
    "application/json; version=1; charset = 'windows-1252'",
    'text/plain; charset=cp1252',
  ])('%s is honoured, and the body stored as UTF-8', (contentType) => {
    const stored = toStoredBody(latin1, contentType);
    expect(stored).toEqual(Buffer.from('{"name":"José"}'));
    expect(readBodyText(stored).isWindows1252).toBe(false);
  });

  test('is honoured even if the bytes are UTF-8', () => {
    expect(textOf(Buffer.from('é'), 'application/json; charset=iso-8859-1')).toBe('Ã©');
  });

  test('can be another one that Node knows', () => {
    expect(textOf(Buffer.from([0xe6, 0xc0]), 'application/json; charset=koi8-r')).toBe('Фю');
    expect(textOf(Buffer.from(NAME, 'utf16le'), 'application/json; charset=utf-16le')).toBe(NAME);
    expect(textOf(utf16be(NAME), 'application/json; charset=utf-16')).toBe(NAME);
  });

  test.each(['utf-8', 'UTF8', '"utf-8"', 'us-ascii', 'unknown-charset', '', '\u0000'])(
    '%o changes nothing',
    (charset) => {
      const contentType = `application/json; charset=${charset}`;
      expect(toStoredBody(latin1, contentType)).toBe(latin1);
      expect(textOf(Buffer.from(NAME), contentType)).toBe(NAME);
    },
  );

  test('is ignored if there is a byte order mark, or if the bytes do not fit', () => {
    expect(textOf(Buffer.from(`\uFEFF${NAME}`), 'application/json; charset=iso-8859-1')).toBe(NAME);
    expect(textOf(Buffer.from('é1'), 'application/json; charset=utf-16be')).toBe('é1');
    expect(textOf(Buffer.from([0xe9, 0x41]), 'text/plain; charset=shift_jis')).not.toContain('\uFFFD');
  });
});

test('no bytes and no header cause an exception', () => {
  expect.hasAssertions();
  const header = fc.option(
    fc.oneof(
      fc.string(),
      fc.string().map((name) => `a/b; charset=${name}`),
    ),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.uint8Array(), header, (body, contentType) => {
      expect(typeof textOf(body, contentType)).toBe('string');
    }),
  );
});

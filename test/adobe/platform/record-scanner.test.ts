import { describe, expect, it } from 'vitest';
import { createRecordScanner } from '../../../src/adobe/platform/record-scanner.ts';

/** The pieces of a file that arrives in chunks of this size. */
function piecesOf(file: string | Buffer, size = 7, maxBytes?: number): [string, boolean][] {
  const scanner = createRecordScanner(maxBytes);
  const bytes = Buffer.from(file as string);
  const found: [string, boolean][] = [];
  for (let at = 0; at < bytes.length; at += size) {
    // The scanner has to copy: a connection reuses its memory.
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    for (const { bytes: piece, isWhole } of scanner.write(chunk)) found.push([piece.toString(), isWhole]);
    chunk.fill(0);
  }
  for (const { bytes: piece, isWhole } of scanner.end()) found.push([piece.toString(), isWhole]);
  return found;
}

const A = '{"_id":"a","list":[{"x":"}\\"{["}]}';
const B = '{"_id":"b"}';

describe('a file is divided into its objects', () => {
  it.each([
    ['one per line', `${A}\n${B}\n`, [A, B]],
    ['with other line breaks and empty lines', `\r\n${A}\r\n\r\n${B}`, [A, B]],
    ['one after another', `${A}${B}`, [A, B]],
    ['a list on one line', `[${A},${B}]`, [A, B]],
    ['a list over several lines', `[\n  ${A},\n  ${B}\n]\n`, [A, B]],
    ['with a byte order mark', `\uFEFF${A}\n`, [A]],
    ['indented', JSON.stringify(JSON.parse(A), undefined, 2), [JSON.stringify(JSON.parse(A), undefined, 2)]],
    ['nothing', '', []],
    ['blank', ' \n\n\t', []],
  ])('%s', (_what, file, expected) => {
    for (const size of [1, 2, 5, 1_000])
      expect(piecesOf(file, size)).toEqual(expected.map((piece) => [piece, true]));
  });
});

describe('a damaged piece costs itself only', () => {
  it.each([
    ['a line that is no JSON', 'no JSON', 'no JSON'],
    ['a string without an end', '{"a":"x', '{"a":"x'],
    ['an object without an end', '{"a":{"b":1}', '{"a":{"b":1}\n'],
    ['a list without an end', '{"a":[1,2', '{"a":[1,2\n'],
    ['NUL bytes', '\0\0\0', '\0\0\0'],
  ])('%s', (_what, line, piece) => {
    for (const size of [1, 3, 1_000])
      expect(piecesOf(`${A}\n${line}\n${B}\n`, size)).toEqual([
        [A, true],
        [piece, false],
        [B, true],
      ]);
  });

  it('at the end of the file too', () => {
    expect(piecesOf(`${A}\n{"a":"x`)).toEqual([
      [A, true],
      ['{"a":"x', false],
    ]);
  });

  it('of which only the beginning is held if it is too long', () => {
    const long = `{"_id":"long","x":"${'y'.repeat(100_000)}"}`;
    expect(piecesOf(`${long}\n${B}\n`, 1_000, 20)).toEqual([
      [long.slice(0, 20), false],
      [B, true],
    ]);
  });

  it('however deep it is', () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(piecesOf(`${deep}\n${B}\n`, 10_000).map(([, isWhole]) => isWhole)).toEqual([false, true]);
    const open = `{"a":${'{"a":'.repeat(100_000)}`;
    expect(piecesOf(`${open}\n${B}\n`, 10_000).map(([, isWhole]) => isWhole)).toEqual([false, true]);
  });

  it('and bytes that are no UTF-8 are kept as they are', () => {
    const scanner = createRecordScanner();
    const line = Buffer.from('7b225f6964223a2261222c2278223a22ff fe c3 22 7d'.replaceAll(' ', ''), 'hex');
    expect(scanner.write(line)).toEqual([{ bytes: line, isWhole: true }]);
  });
});

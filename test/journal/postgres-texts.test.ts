import { describe, expect, it } from 'vitest';
import { storedText, textOf } from '../../src/journal/postgres/engine/stored-text.ts';

describe('texts in PostgreSQL', () => {
  it('keeps ordinary texts as they are', () => {
    for (const text of ['', 'transactionAdded', 'Zoë 🎁', '\u0001\n', '\uFFFF'])
      expect(storedText(text)).toBe(text);
  });

  it('stores U+0000 without one, and reads it again', () => {
    const mark = '\uFDD0';
    const texts = ['\0', 'a\0b\0', mark, `${mark}0`, `${mark}1\0`, `\0${mark}${mark}0`, `${mark}\0${mark}`];
    for (const text of texts) {
      expect(storedText(text)).not.toContain('\0');
      expect(textOf(storedText(text))).toBe(text);
    }
    expect(new Set(texts.map(storedText)).size).toBe(texts.length);
  });
});

import { styleText } from 'node:util';
import type { NoteAnswer } from './admin-answers.ts';

// Control characters, and marks that change the direction of text: a terminal would interpret them.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}}`;
}

/** Any value as one line that is safe to print; an empty string if it is absent. */
export function toPrintable(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/[\r\n\t]+/g, ' ').replace(UNSAFE, escapeCharacter);
}

/** One column of a table. Columns of numbers are right-aligned. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => unknown;
}

function formatLine(cells: readonly string[]): string {
  return cells.join('  ').trimEnd();
}

/**
 * Aligned rows under headings, without trailing blanks. Columns without any content are left out.
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const filled = columns
    .map(({ heading, cell }) => {
      const values = rows.map(cell);
      const texts = values.map(toPrintable);
      const width = Math.max(heading.length, ...texts.map((text) => text.length));
      const isNumeric = values.some((value) => typeof value === 'number');
      const pad = (text: string): string => (isNumeric ? text.padStart(width) : text.padEnd(width));
      return { heading: pad(heading), texts, pad };
    })
    .filter(({ texts }) => texts.some((text) => text !== ''));
  const head = styleText('bold', formatLine(filled.map(({ heading }) => heading)));
  const lines = rows.map((_, row) => formatLine(filled.map(({ texts, pad }) => pad(texts[row] ?? ''))));
  return [head, ...lines].join('\n');
}

/** What the mapping left out or changed, below a title with the count. */
export function formatNotes(notes: readonly NoteAnswer[]): string {
  const table = formatTable(notes, [
    { heading: 'KIND', cell: ({ kind }) => kind },
    { heading: 'PATH', cell: ({ path }) => path },
    { heading: 'CODE', cell: ({ code }) => code },
    { heading: 'REASON', cell: ({ message }) => message },
  ]);
  return `Left out or changed: ${notes.length}\n${table}`;
}

/** `expiryDates` → `expiry dates`. */
export function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

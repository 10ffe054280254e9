import { styleText } from 'node:util';
import { printable } from './printable.ts';

/** One column: its heading, and what it shows of a row. Numbers are set to the right. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => unknown;
}

function line(cells: readonly string[]): string {
  return cells.join('  ').trimEnd();
}

/** Rows under headings, aligned, each line without trailing blanks. Columns without any content are left out. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const set = columns
    .map(({ heading, cell }) => {
      const values = rows.map(cell);
      const texts = values.map(printable);
      const width = Math.max(heading.length, ...texts.map((text) => text.length));
      const right = values.some((value) => typeof value === 'number');
      const pad = (text: string): string => (right ? text.padStart(width) : text.padEnd(width));
      return { heading: pad(heading), texts, pad };
    })
    .filter(({ texts }) => texts.some((text) => text !== ''));
  const head = styleText('bold', line(set.map(({ heading }) => heading)));
  return [head, ...rows.map((_, row) => line(set.map(({ texts, pad }) => pad(texts[row] ?? ''))))].join('\n');
}

import { stripVTControlCharacters, styleText } from 'node:util';
import { type Column, formatTable, toPrintable } from './table.ts';

/** The text with at most this length; it ends at the end of a word, if there is one. */
export function cutAtWord(text: string, width: number): string {
  if (text.length <= width) return text;
  const room = Math.max(0, width - 2);
  const end = text.lastIndexOf(' ', room);
  // A word that does not fit at all is cut.
  return end > 0 ? `${text.slice(0, end).replace(/[\s,;:]+$/, '')} …` : `${text.slice(0, room + 1)}…`;
}

interface Wrapping {
  /** Indentation of the lines after the first. */
  readonly hang: number;
  /** What is longer is cut. */
  readonly maxLines?: number;
}

/** The text as lines that fit, broken between words; without `maxLines` nothing is lost. */
export function wrapText(text: string, width: number, { hang, maxLines }: Wrapping): string[] {
  const lines: string[] = [];
  const isFull = (): boolean => maxLines !== undefined && lines.length >= maxLines - 1;
  let rest = text;
  while (rest.length > width && !isFull()) {
    const end = rest.lastIndexOf(' ', width);
    const isOneWord = end < 0 || rest.slice(0, end).trim() === '';
    if (isOneWord && maxLines !== undefined) break;
    const length = isOneWord ? width : end;
    lines.push(rest.slice(0, length).trimEnd());
    rest = `${' '.repeat(hang)}${rest.slice(length).trimStart()}`;
  }
  return [...lines, maxLines === undefined ? rest : cutAtWord(rest, width)];
}

/** A column that gives way when the table is too wide. */
export interface FittingColumn<Row> extends Column<Row> {
  /** Its texts are cut first, but not below this length. */
  readonly cutTo?: number;
  /** Left out if cutting is not enough; lower numbers first. */
  readonly leaveOut?: number;
  /** Where the table is too wide, its texts stand below their rows, in full, after this label. */
  readonly below?: string;
}

function linesOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  return stripVTControlCharacters(formatTable(rows, columns)).split('\n');
}

function excessOf(lines: readonly string[], width: number): number {
  return Math.max(...lines.map((line) => line.length)) - width;
}

/** Cuts the texts of the columns that allow it by what the table is too wide. */
function withCuts<Row>(
  rows: readonly Row[],
  columns: readonly FittingColumn<Row>[],
  excess: number,
): FittingColumn<Row>[] {
  return columns.map((column) => {
    const { cutTo, cell } = column;
    if (cutTo === undefined) return column;
    const longest = Math.max(...rows.map((row) => toPrintable(cell(row)).length));
    const length = Math.max(cutTo, longest - excess);
    return { ...column, cell: (row) => cutAtWord(toPrintable(cell(row)), length) };
  });
}

/** The heading and the rows of a table, none wider than `width`. */
export function fittingTable<Row>(
  rows: readonly Row[],
  columns: readonly FittingColumn<Row>[],
  width: number,
): string[] {
  const lines = linesOf(rows, columns);
  const excess = excessOf(lines, width);
  if (excess <= 0) return lines;
  const cut = linesOf(rows, withCuts(rows, columns, excess));
  if (excessOf(cut, width) <= 0) return cut;
  const [first] = columns
    .filter(({ leaveOut }) => leaveOut !== undefined)
    .toSorted((a, b) => (a.leaveOut ?? 0) - (b.leaveOut ?? 0));
  return first === undefined
    ? cut.map((line) => cutAtWord(line, width))
    : fittingTable(
        rows,
        columns.filter((column) => column !== first),
        width,
      );
}

/** Columns of the terminal; what goes into a pipe or a file is never narrowed. */
export function terminalWidth(): number {
  const MIN_COLUMNS = 20;
  // A terminal that does not know its width reports 0 columns.
  const columns = process.stdout.isTTY ? process.stdout.columns : 0;
  return columns > 0 ? Math.max(columns, MIN_COLUMNS) : Infinity;
}

/**
 * A table as `formatTable` prints it, and on a terminal no wider than that: long texts stand below
 * their rows, and columns that matter less are cut or left out.
 */
export function formatFitting<Row>(
  rows: readonly Row[],
  columns: readonly FittingColumn<Row>[],
  width = terminalWidth(),
): string {
  if (excessOf(linesOf(rows, columns), width) <= 0) return formatTable(rows, columns);
  const beside = columns.filter(({ below }) => below === undefined);
  const [head = '', ...lines] = fittingTable(rows, beside, width);
  const details = (row: Row): string[] =>
    columns.flatMap(({ below, cell }) => {
      const text = below === undefined ? '' : toPrintable(cell(row));
      return text === '' ? [] : wrapText(`  ${below}: ${text}`, width, { hang: 4 });
    });
  return [
    styleText('bold', head),
    ...lines.flatMap((line, index) => [line, ...details(rows[index] as Row)]),
  ].join('\n');
}

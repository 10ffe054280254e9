import { stripVTControlCharacters, styleText } from 'node:util';
import { type Column, formatTable, toPrintable } from '../table.ts';

export type Tone = 'bold' | 'green' | 'yellow' | 'red' | 'dim';

/** One line of the screen. */
export interface Line {
  readonly text: string;
  readonly tone?: Tone;
  /** Indentation of what does not fit and goes on below. */
  readonly hang?: number;
}

/** Lines that one text may take; Adobe's answers can be long. */
const MAX_LINES = 3;

/** The text with at most this length; it ends at the end of a word, if there is one. */
export function cutAtWord(text: string, width: number): string {
  if (text.length <= width) return text;
  const room = Math.max(0, width - 2);
  const end = text.lastIndexOf(' ', room);
  // A word that does not fit at all is cut.
  return end > 0 ? `${text.slice(0, end).replace(/[\s,;:]+$/, '')} …` : `${text.slice(0, room + 1)}…`;
}

/** The line as one or several that fit, broken between words. */
export function wrapLine({ text, tone, hang = 2 }: Line, width: number): Line[] {
  const lines: Line[] = [];
  let rest = text;
  while (rest.length > width && lines.length < MAX_LINES - 1) {
    const end = rest.lastIndexOf(' ', width);
    if (rest.slice(0, end).trim() === '') break;
    lines.push({ text: rest.slice(0, end).trimEnd(), ...(tone === undefined ? {} : { tone }) });
    rest = `${' '.repeat(hang)}${rest.slice(end).trimStart()}`;
  }
  return [...lines, { text: cutAtWord(rest, width), ...(tone === undefined ? {} : { tone }) }];
}

/** A column that gives way when the table is too wide. */
export interface FittingColumn<Row> extends Column<Row> {
  /** Its texts are cut first, but not below this length. */
  readonly cutTo?: number;
  /** Left out if cutting is not enough; lower numbers first. */
  readonly leaveOut?: number;
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

/** Colours the lines, unless NO_COLOR is set or the output is a pipe. */
export function paint(lines: readonly Line[]): string[] {
  return lines.map(({ text, tone }) => (tone === undefined || text === '' ? text : styleText(tone, text)));
}

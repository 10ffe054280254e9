import type { EventAnswer } from './admin-answers.ts';
import { toPrintable } from './table.ts';
import { formatTime } from './time-format.ts';

interface FollowColumn {
  readonly heading: string;
  readonly cell: (event: EventAnswer) => string;
  /** Fixed, because the next lines are not known yet. */
  readonly width: number;
  /** On a narrow terminal; 0 leaves it out. */
  readonly narrow: number;
}

function timeOf({ state, receivedAt, settledAt }: EventAnswer): string {
  return formatTime(state === 'pending' ? receivedAt : (settledAt ?? receivedAt));
}

function outcomeOf({ state, reason }: EventAnswer): string {
  return toPrintable(reason === undefined || reason === state ? state : `${state} (${reason})`);
}

const COLUMNS: readonly FollowColumn[] = [
  { heading: 'TIME', cell: timeOf, width: 20, narrow: 9 },
  { heading: 'RECEIPT', cell: ({ receipt }) => receipt, width: 36, narrow: 36 },
  { heading: 'SOURCE', cell: ({ source }) => toPrintable(source), width: 12, narrow: 0 },
  { heading: 'EVENT', cell: ({ eventName }) => toPrintable(eventName ?? '-'), width: 28, narrow: 14 },
  { heading: 'CUSTOMER', cell: ({ customerId }) => toPrintable(customerId ?? '-'), width: 12, narrow: 0 },
  { heading: 'STATE', cell: outcomeOf, width: 20, narrow: 15 },
];
const GAP = 2;
const FULL_WIDTH = COLUMNS.reduce((sum, { width }) => sum + width + GAP, -GAP);

function cutTo(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function lineOf(cells: readonly string[], width: number): string {
  if (width >= FULL_WIDTH)
    return cells
      .map((cell, index) => cell.padEnd(COLUMNS[index]?.width ?? 0))
      .join('  ')
      .trimEnd();
  return COLUMNS.flatMap(({ narrow, heading }, index) => {
    const cell = cells[index] ?? '';
    if (narrow === 0) return [];
    // Of the time without the date.
    const text = heading === 'TIME' ? cell.slice(-narrow) : cutTo(cell, narrow);
    return text.padEnd(narrow);
  })
    .join('  ')
    .trimEnd();
}

/** The heading of the lines of `events --follow`. */
export function followHeading(width: number): string {
  return lineOf(
    COLUMNS.map(({ heading }) => heading),
    width,
  );
}

/** A line of `events --follow`; on a narrow terminal it has the columns that matter most. */
export function followLine(event: EventAnswer, width: number): string {
  return lineOf(
    COLUMNS.map(({ cell }) => cell(event)),
    width,
  );
}

import type { NoteAnswer } from './admin-answers.ts';
import { formatTable } from './table.ts';

/** What the mapping left out or changed, under its count. */
export function formatNotes(notes: readonly NoteAnswer[]): string {
  const table = formatTable(notes, [
    { heading: 'KIND', cell: ({ kind }) => kind },
    { heading: 'WHERE', cell: ({ path }) => path },
    { heading: 'CODE', cell: ({ code }) => code },
    { heading: 'WHY', cell: ({ message }) => message },
  ]);
  return `Left out or changed: ${notes.length}\n${table}`;
}

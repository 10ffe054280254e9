import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.ts';
import { isMet, type Row } from './part.ts';

const RESULTS = fileURLToPath(new URL('results/', import.meta.url));

export interface Run {
  /** ISO time of the start. */
  readonly at: string;
  readonly tookSeconds: number;
  readonly machine: Machine;
  /** Commit of the other build in a comparison. */
  readonly against?: string;
  readonly rows: readonly Row[];
}

/** Rounded to three significant digits. */
function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 3) });
}

function formatWithUnit(value: number, unit: string): string {
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

function goalOf(row: Row): string {
  const { goal, ratioGoal, unit } = row;
  const met = isMet(row);
  if (met === undefined) return '';
  const [bound, boundUnit] = goal === undefined ? [ratioGoal, '× before'] : [goal, unit];
  if (bound === undefined) return '';
  const text =
    'least' in bound
      ? `≥ ${formatWithUnit(bound.least, boundUnit)}`
      : `≤ ${formatWithUnit(bound.most, boundUnit)}`;
  return `${text}: ${met ? 'met' : 'missed'}`;
}

type Column = readonly [heading: string, text: (row: Row) => string];

const COLUMNS: readonly Column[] = [
  ['Part', ({ part }) => part],
  ['Figure', ({ what }) => what],
  ['Value', ({ value, unit }) => formatWithUnit(value, unit)],
  ['A/A', ({ control }) => (control === undefined ? '' : control.map(formatNumber).join('–'))],
  ['Goal', goalOf],
];

/** Only in a comparison of two builds. */
const COMPARED: readonly Column[] = [
  ['Before', ({ before, unit }) => (before === undefined ? '' : formatWithUnit(before, unit))],
  ['Ratio', ({ ratio }) => (ratio === undefined ? '' : formatWithUnit(ratio, '×'))],
];

/** A Markdown table with padded columns, so that it is readable as plain text. */
export function tableOf(rows: readonly Row[]): string {
  const isCompared = rows.some(({ before }) => before !== undefined);
  const columns = isCompared ? COLUMNS.toSpliced(3, 0, ...COMPARED) : COLUMNS;
  const cells = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, text]) => text(row))),
  ];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [head = [], ...body] = cells.map(line);
  return [head, rule, ...body].join('\n');
}

export function headingOf({ at, tookSeconds, machine, against }: Run): string {
  return [
    `${at}, ${Math.round(tookSeconds)} s, commit ${machine.commit}${against === undefined ? '' : ` against ${against}`}, Node ${machine.node}`,
    `${machine.processors}, ${machine.memoryGiB} GiB; a synchronised write of 4 KiB takes ${formatNumber(machine.sync.p50)} ms (p99 ${formatNumber(machine.sync.p99)} ms)`,
    `200 means: ${machine.durability}`,
  ].join('\n');
}

/** @returns the path of the file */
export function saveRun(run: Run): string {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${run.at.slice(0, 19).replaceAll(':', '')}Z.json`);
  writeFileSync(file, `${JSON.stringify(run, undefined, 2)}\n`);
  return file;
}

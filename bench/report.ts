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
  const { goal, unit } = row;
  if (goal === undefined) return '';
  const bound =
    'least' in goal ? `≥ ${formatWithUnit(goal.least, unit)}` : `≤ ${formatWithUnit(goal.most, unit)}`;
  return `${bound}: ${isMet(row) === true ? 'met' : 'missed'}`;
}

function cellsOf(row: Row): readonly string[] {
  return [
    row.part,
    row.what,
    formatWithUnit(row.value, row.unit),
    row.control === undefined ? '' : row.control.map(formatNumber).join('–'),
    goalOf(row),
  ];
}

const HEADINGS = ['Part', 'Figure', 'Value', 'A/A', 'Goal'];

/** A Markdown table with padded columns, so that it is readable as plain text. */
export function tableOf(rows: readonly Row[]): string {
  const cells = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  const [head = [], ...body] = cells.map(line);
  return [head, rule, ...body].join('\n');
}

export function headingOf({ at, tookSeconds, machine }: Run): string {
  return [
    `${at}, ${Math.round(tookSeconds)} s, commit ${machine.commit}, Node ${machine.node}`,
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

import { styleText } from 'node:util';
import { formatFitting } from '../fitting-table.ts';
import { toPrintable } from '../table.ts';
import type { ConfigCompletion } from './config-completion.ts';
import type { ProvisionTarget } from './provision-target.ts';
import type { StepResult } from './step-engine.ts';

/** What was found out about, or done for, one destination; a part of the output of --json. */
export interface DestinationReport {
  readonly destination: string;
  readonly imsOrgId: string;
  readonly sandbox: string;
  readonly objects: readonly StepResult[];
  readonly configuration: ConfigCompletion;
}

export function reportOf(
  { destination: { name, imsOrgId, sandbox } }: Pick<ProvisionTarget, 'destination'>,
  objects: readonly StepResult[],
  configuration: ConfigCompletion,
): DestinationReport {
  return { destination: name, imsOrgId, sandbox, objects, configuration };
}

const COLOURS = {
  found: 'green',
  make: 'yellow',
  change: 'yellow',
  'by hand': 'red',
  made: 'green',
  changed: 'green',
} as const;

const OUTCOME_WIDTH = 7;
const KIND_WIDTH = 17;

/** One line of progress, with what a person has to do below it. */
export function progressLine({ outcome, kind, name, id, details, fixes }: StepResult): string {
  const state = styleText(COLOURS[outcome], outcome.padEnd(OUTCOME_WIDTH));
  const line = [state, kind.padEnd(KIND_WIDTH), toPrintable(name), id].filter(Boolean).join('  ');
  const indent = ' '.repeat(OUTCOME_WIDTH + 2);
  return [
    line,
    ...details.map((detail) => `${indent}${toPrintable(detail)}`),
    ...fixes.map((fix) => `${indent}fix: ${toPrintable(fix)}`),
  ].join('\n');
}

/** Whether a plan has something to change, or something that a person has to change. */
export function hasChanges({ objects, configuration }: DestinationReport): boolean {
  return objects.some(({ outcome }) => outcome !== 'found') || configuration.values.length > 0;
}

export function hasHandwork({ objects }: DestinationReport): boolean {
  return objects.some(({ outcome }) => outcome === 'by hand');
}

function heading({ destination, imsOrgId, sandbox }: DestinationReport): string {
  return styleText('bold', `${destination} (organisation ${imsOrgId}, sandbox ${sandbox})`);
}

function configurationLines({ configuration: { values, hints } }: DestinationReport): string[] {
  const known = values.map(({ key, value }) => `  ${key}: ${value ?? '(once it is made)'}`);
  return [
    ...(known.length === 0 ? [] : ['', 'To set in the configuration:', ...known]),
    ...hints.map((hint) => `hint: ${toPrintable(hint)}`),
  ];
}

/** The table of a plan for one destination. */
export function formatPlan(report: DestinationReport): string {
  const table = formatFitting(report.objects, [
    { heading: 'PLAN', cell: ({ outcome }) => outcome },
    { heading: 'OBJECT', cell: ({ kind }) => kind },
    { heading: 'NAME', cell: ({ name }) => name, cutTo: 24 },
    { heading: 'ID', cell: ({ id }) => id, leaveOut: 1 },
    { heading: 'DIFFERENT', cell: ({ details }) => details.join('; '), below: 'different' },
    { heading: 'BY HAND', cell: ({ fixes }) => fixes.join('; '), below: 'by hand' },
  ]);
  return [heading(report), table, ...configurationLines(report)].join('\n');
}

/** `3 to make, 1 to change, 1 by hand`, or that there is nothing to change. */
export function planSummary(reports: readonly DestinationReport[]): string {
  const count = (outcome: StepResult['outcome']): number =>
    reports.flatMap(({ objects }) => objects).filter((result) => result.outcome === outcome).length;
  const keys = reports.reduce((sum, { configuration }) => sum + configuration.values.length, 0);
  const parts = [
    [count('make'), 'to make'],
    [count('change'), 'to change'],
    [count('by hand'), 'different by hand'],
    [keys, keys === 1 ? 'key of the configuration to set' : 'keys of the configuration to set'],
  ] as const;
  const some = parts.filter(([number]) => number > 0).map(([number, text]) => `${number} ${text}`);
  return some.length === 0 ? 'nothing to change' : some.join(', ');
}

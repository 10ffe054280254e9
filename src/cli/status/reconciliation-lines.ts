import {
  type DestinationReconciliationAnswer,
  openCount,
  type ReconciliationAnswer,
  type SourceReconciliationAnswer,
} from '../reconcile/reconciliation-answer.ts';
import { formatLanded, formatOpen, formatSent } from '../reconcile/reconciliation-text.ts';
import { toPrintable } from '../table.ts';
import { formatAge } from '../time-format.ts';
import { LABEL_WIDTH } from './intake-lines.ts';
import { KEEP, type Line, type Tone } from './status-line.ts';

/** What is wrong, with the tone of its line; undefined if nothing is. */
function faultOf(
  answer: SourceReconciliationAnswer | DestinationReconciliationAnswer,
): { readonly text: string; readonly tone: Tone } | undefined {
  const { problem } = answer;
  if (problem !== undefined)
    return { text: `not compared completely, ${toPrintable(problem.code)}`, tone: 'yellow' };
  if (openCount(answer) > 0) return { text: `left to do: ${formatOpen(answer)}`, tone: 'yellow' };
  return undefined;
}

function lineOf(
  name: string,
  answer: SourceReconciliationAnswer | DestinationReconciliationAnswer,
  facts: readonly (string | undefined)[],
): Line {
  const fault = faultOf(answer);
  const parts = [fault?.text, ...facts].filter((part) => part !== undefined);
  return {
    text: `compared  ${toPrintable(name)}: ${parts.join('; ')}`,
    hang: LABEL_WIDTH,
    keep: KEEP.rates,
    ...(fault === undefined ? {} : { tone: fault.tone }),
  };
}

function seenText(until: string | undefined, now: number): string {
  if (until === undefined) return 'not compared yet';
  return `as of ${formatAge(Math.max(0, now - Date.parse(until)))} ago`;
}

/**
 * What both ends say, a line for each source and destination with `reconcile`.
 * @param now epoch ms
 */
export function reconciliationLines({ sources, destinations }: ReconciliationAnswer, now: number): Line[] {
  return [
    ...sources.map((one) => lineOf(one.source, one, [formatSent(one), seenText(one.seesUntil, now)])),
    ...destinations.map((one) =>
      lineOf(one.destination, one, [formatLanded(one), seenText(one.seesLakeUntil, now)]),
    ),
  ];
}

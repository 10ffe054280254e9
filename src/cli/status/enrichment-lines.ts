import type { EnrichmentStateAnswer } from './enrichment-answer.ts';
import { toPrintable } from '../table.ts';
import { formatAge } from '../time-format.ts';
import { LABEL_WIDTH } from './intake-lines.ts';
import { KEEP, type Line, type Tone } from './status-line.ts';

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What waits to be completed; undefined if nothing does. */
function waitingText({ refreshes }: EnrichmentStateAnswer, now: number): string | undefined {
  const { customers, bills, oldestAt } = refreshes;
  if (customers + bills === 0) return undefined;
  const age = oldestAt === undefined ? '' : `, oldest ${formatAge(Math.max(0, now - Date.parse(oldestAt)))}`;
  return `${counted(customers, 'customer')} and ${counted(bills, 'bill')} to complete${age}`;
}

/** What is wrong, with the tone of its line; undefined if nothing is. */
function faultOf(
  { api, budget, forbidden, masked }: EnrichmentStateAnswer,
  now: number,
): { readonly text: string; readonly tone: Tone } | undefined {
  if (api.state === 'unavailable') {
    const since = formatAge(Math.max(0, now - Date.parse(api.since)));
    const why = api.reason === undefined ? '' : `: ${toPrintable(api.reason)}`;
    return { text: `Capillary's API has been unavailable for ${since}${why}`, tone: 'red' };
  }
  const lacks = [...new Set(forbidden.map(({ lack }) => toPrintable(lack)))];
  if (lacks.length > 0) return { text: `the API client lacks ${lacks.join(', ')}`, tone: 'yellow' };
  if (budget.pausedFor > 0) {
    const pause = formatAge(budget.pausedFor);
    return { text: `Capillary refuses more calls (429), the next one is made in ${pause}`, tone: 'yellow' };
  }
  return masked ? { text: 'Capillary masks personal data for the API client', tone: 'yellow' } : undefined;
}

/** How events are completed, one line for each source with `enrich`. @param now epoch ms */
export function enrichmentLines(sources: readonly EnrichmentStateAnswer[], now: number): Line[] {
  return sources.map((source): Line => {
    const { lastHour, waiting } = source;
    const { complete = 0, cached: _cached, ...missing } = lastHour;
    const incomplete = Object.values(missing).reduce((sum, count) => sum + count, 0);
    const fault = faultOf(source, now);
    const parts = [
      fault?.text,
      `${counted(complete, 'event')} complete and ${incomplete} incomplete in the last hour`,
      waiting === 0 ? undefined : `${waiting} waiting`,
      waitingText(source, now),
    ].filter((part) => part !== undefined);
    return {
      text: `enriched  ${toPrintable(source.source)}: ${parts.join('; ')}`,
      hang: LABEL_WIDTH,
      keep: KEEP.rates,
      ...(fault === undefined ? {} : { tone: fault.tone }),
    };
  });
}

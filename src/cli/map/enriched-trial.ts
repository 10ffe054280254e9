import { styleText } from 'node:util';
import type { Enrichment } from '../../capillary/enricher.ts';
import type { Fetched } from '../../capillary/entities.ts';
import { billContents, type Contents, customerContents } from '../../capillary/stored-entities.ts';
import { toPrintable, wordsOf } from '../table.ts';
import { formatDuration } from '../time-format.ts';
import { formatChange } from './diff-report.ts';
import { type Change, diffTrials } from './mapping-diff.ts';
import type { Trial } from './mapping-trial.ts';

/** A part that was read, without its values. */
interface ReadSummary {
  /** Of a customer. */
  readonly answer?: string;
  readonly readAt: string;
  readonly calls: Fetched['calls'];
  readonly contents: Contents;
}

/** An event mapped as it is, and with what is known about it beyond its payload. */
export interface EnrichedTrial {
  readonly read: { readonly customer?: ReadSummary; readonly bill?: ReadSummary };
  /** Why a part that the event wants is missing. */
  readonly missing?: { readonly customer?: string; readonly bill?: string };
  readonly enriched: Trial;
  /** From the mapping without to the one with it. */
  readonly changes: readonly Change[];
}

function summaryOf({ at, calls }: Fetched, contents: Contents): ReadSummary {
  return { readAt: new Date(at).toISOString(), calls, contents };
}

export function enrichedTrial(
  plain: Trial,
  enriched: Trial,
  { entities: { customer, bill }, missing }: Enrichment,
): EnrichedTrial {
  const { retryIn: _retryIn, requestIds: _requestIds, ...reasons } = missing ?? {};
  return {
    read: {
      ...(customer && {
        customer: { answer: customer.kind, ...summaryOf(customer, customerContents(customer)) },
      }),
      ...(bill && { bill: summaryOf(bill, billContents(bill.bill)) }),
    },
    ...(missing === undefined ? {} : { missing: reasons }),
    enriched,
    changes: diffTrials({ trial: plain }, { trial: enriched }).changes,
  };
}

/** Why a part is missing, for people. */
const MISSING: Readonly<Record<string, string>> = {
  budget: 'no call was left for it',
  unavailable: "Capillary's API is away or refuses the credentials",
  forbidden: 'the access group of the API client lacks the right',
  unknown: 'not known to Capillary, or not in the file',
  timeout: "Capillary's API did not answer in time",
};

function formatRead(name: string, { answer, readAt, calls, contents }: ReadSummary): string {
  const age = formatDuration(Math.max(0, Date.now() - Date.parse(readAt)));
  const said = answer === undefined || answer === 'found' ? '' : ` (${answer})`;
  const has = Object.entries(contents).map(([kind, count]) => `${wordsOf(kind)} ${count}`);
  const lines = calls.map(
    ({ call, status, requestId }) =>
      `  ${call}: ${status ?? 'no answer'}${requestId === undefined ? '' : `, X-CAP-REQUEST-ID ${requestId}`}`,
  );
  return [`${name}${said}, read ${age} ago: ${has.join(', ') || 'nothing'}`, ...lines]
    .map(toPrintable)
    .join('\n');
}

/**
 * What was read, and what it changes; the two mappings are shown before and after it.
 * @param formatted the mapping with what was read
 */
export function formatEnriched({ read, missing = {}, changes }: EnrichedTrial, formatted: string): string {
  const { customer, bill } = read;
  const parts = [
    ...(customer === undefined ? [] : [formatRead('customer', customer)]),
    ...(bill === undefined ? [] : [formatRead('bill', bill)]),
    ...Object.entries(missing).map(([part, reason]) => `${part} missing: ${MISSING[reason] ?? reason}`),
  ];
  const changed = changes.length === 0 ? 'nothing' : changes.map(formatChange).join('\n');
  return [
    `${styleText('bold', "From Capillary's API")}\n${parts.join('\n')}`,
    `${styleText('bold', 'That changes')}\n${changed}`,
    `${styleText('bold', 'With it')}\n${formatted}`,
  ].join('\n\n');
}

import { describeApiError } from '../../capillary/api/api-errors.ts';
import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import { createCapillaryReads } from '../../capillary/api/capillary-reads.ts';
import type { TokenClaims } from '../../capillary/api/oauth-token.ts';
import type { ReadAnswer } from '../../capillary/api/read-answer.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { fail, type Finding, ok, warn } from './finding.ts';

/** Nobody has it: what counts is whether the API client may ask. */
const NO_ID = '1';
const NO_SKU = 'capillary-relay-doctor';

const ACCESS_FIX =
  'add it to the access group of the API client in InTouch: Organization Settings > Tools > Authentication';
const MASK_FIX =
  'allow access to sensitive information for the API client, or contacts and names stay as the webhooks have them';

/** What a read says about the rights of the API client; undefined if it may read. */
function lackOf(answer: ReadAnswer<unknown>): string | undefined {
  return answer.ok || answer.error.kind !== 'forbidden' ? undefined : answer.error.missing;
}

/** A failure that says nothing about the rights. */
function troubleOf(answers: readonly ReadAnswer<unknown>[]): string | undefined {
  const kinds = ['throttled', 'busy', 'unavailable', 'foreign', 'network'];
  for (const answer of answers)
    if (!answer.ok && kinds.includes(answer.error.kind)) return describeApiError(answer.error);
  return undefined;
}

/** Whether the API client may read what completes the events of a source; about five calls. */
export async function enrichmentFindings(
  { name, enrich, timezone }: SourceConfig,
  client: CapillaryClient,
  { seesPersonalData }: TokenClaims,
): Promise<Finding[]> {
  if (enrich === undefined) return [];
  const check = `enrich/${name}`;
  const reads = createCapillaryReads({ client, serverZone: timezone });
  const { signal } = new AbortController();
  const answers = [
    await reads.programs(signal),
    ...(enrich.customers ? [await reads.customer(NO_ID, signal)] : []),
    ...(enrich.transactions
      ? [await reads.bill(NO_ID, 'REGULAR', signal), await reads.productNames([NO_SKU], signal)]
      : []),
  ];
  const lacks = [...new Set(answers.flatMap((answer) => lackOf(answer) ?? []))];
  const masked =
    seesPersonalData === false && enrich.customers
      ? [warn(check, 'Capillary masks names, e-mails and phone numbers for the API client', MASK_FIX)]
      : [];
  if (lacks.length > 0)
    return [fail(check, `the access group lacks ${lacks.join(', ')}`, ACCESS_FIX), ...masked];
  const trouble = troubleOf(answers);
  if (trouble !== undefined)
    return [warn(check, trouble, 'try again; events go on as they came while the API does not answer')];
  return masked.length > 0 ? masked : [ok(check, 'the API client may read what completes events')];
}

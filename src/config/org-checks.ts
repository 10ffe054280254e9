import type { Finding } from './config-error.ts';
import type { Draft, SourceDraft } from './draft.ts';

/** An organisation whose customers a source sends to a destination, and the prefix of their ids. */
interface SentOrg {
  readonly index: number;
  readonly orgId: number;
  readonly prefix: string;
}

/** Undefined prefix: the configured one is invalid, which is reported already. */
function orgsOf({ orgIds = [], identity }: SourceDraft, index: number): SentOrg[] {
  if (identity === undefined) return [];
  return [...new Set(orgIds)].map((orgId) => ({
    index,
    orgId,
    prefix: identity.prefix.replaceAll('<orgId>', String(orgId)),
  }));
}

function findingFor({ index, orgId, prefix }: SentOrg, before: readonly SentOrg[]): Finding | undefined {
  const path = ['sources', index, 'identity', 'prefix'];
  const same = before.find((other) => other.orgId !== orgId && other.prefix === prefix);
  if (same !== undefined)
    return {
      path,
      message:
        `does not keep the customers of organisations ${same.orgId} and ${orgId} apart, which go to one destination: ` +
        'customer 5 of one would be customer 5 of the other, and each of their profile records would replace that of the other',
      fix: 'write `identity: { prefix: "<orgId>-" }` in every source of this destination, or give each organisation its own destination',
    };
  const split = before.find((other) => other.orgId === orgId && other.prefix !== prefix);
  return split === undefined
    ? undefined
    : {
        path,
        message: `differs from that of sources[${split.index}], which sends the same organisation ${orgId} to the same destination: each of its customers would become two`,
        fix: 'use the same prefix in both sources',
      };
}

/**
 * Ids of customers are unique in one organisation only. So sources that send several of them to one
 * destination need a prefix. In raw format Data Prep builds the identities.
 */
export function orgFindings({ sources, destinations }: Draft): Finding[] {
  const raw = new Set(destinations.flatMap(({ name, format }) => (format === 'raw' ? [name] : [])));
  const seen = new Map<string, SentOrg[]>();
  const findings = new Map<number, Finding>();
  for (const [index, source] of sources.entries()) {
    const { destination } = source;
    if (destination === undefined || raw.has(destination)) continue;
    const before = seen.get(destination) ?? [];
    for (const org of orgsOf(source, index)) {
      const finding = findingFor(org, before);
      if (finding !== undefined && !findings.has(index)) findings.set(index, finding);
      before.push(org);
    }
    seen.set(destination, before);
  }
  return [...findings.values()];
}

import { createHash } from 'node:crypto';
import type { DestinationConfig, SourceConfig } from '../../config/config-schema.ts';
import type { Journal } from '../../journal/journal.ts';
import { readVersion } from '../../version.ts';
import type { Knowledge } from './check-state.ts';

export interface KnowledgeParts {
  readonly destination: DestinationConfig;
  readonly sources: readonly SourceConfig[];
  readonly journal: Pick<Journal, 'programs'>;
  /** Epoch ms. */
  readonly now: () => number;
}

/** The keys of a source that its records depend on: no secret is among them. */
function mappingOf({ api: _api, verify: _verify, reconcile: _reconcile, ...rest }: SourceConfig): object {
  return rest;
}

/**
 * What records are made with now. While it does not change, a record that was sent can be made
 * again exactly.
 */
export async function knowledgeOf(
  { destination, sources, journal, now }: KnowledgeParts,
  before: Knowledge | undefined,
): Promise<Knowledge> {
  const { tenant, identity, schemaFeatures, consents, format, profile } = destination;
  const text = JSON.stringify([
    readVersion(),
    { tenant, identity, schemaFeatures, consents, format, profile },
    sources.map(mappingOf),
    await journal.programs(),
  ]);
  const hash = createHash('sha256').update(text).digest('hex');
  return before?.hash === hash ? before : { hash, since: now() };
}

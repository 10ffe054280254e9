import type { Enrichment } from '../../capillary/enricher.ts';
import type { CapillaryEvent } from '../../capillary/event.ts';
import { parseEvent } from '../../capillary/event-parser.ts';
import type { SourceConfig } from '../../config/config-schema.ts';
import type { Received } from './mapping-trial.ts';
import type { MappedEvent } from './mapping-record.ts';

/** What is known about events beyond their payloads: read from the API, or from a file. */
export interface KnownEntities {
  /** Undefined if the event lacks nothing, or nothing is known about it. */
  of(event: CapillaryEvent, source: SourceConfig): Promise<Enrichment | undefined>;
  close(): Promise<void>;
}

/** What is known about one body; undefined also for one that is no event. */
export async function knownOf(
  known: KnownEntities,
  { body, received }: MappedEvent,
  source: SourceConfig,
): Promise<Enrichment | undefined> {
  const orgIds = received.orgId === undefined ? (source.orgIds ?? []) : [received.orgId];
  const parsed = parseEvent(Buffer.from(body), { orgIds, timezone: source.timezone });
  return parsed.ok ? known.of(parsed.event, source) : undefined;
}

/** As a trial takes it. */
export function toKnown(enrichment: Enrichment | undefined): Pick<Received, 'entities' | 'incomplete'> {
  if (enrichment === undefined) return {};
  const { entities, missing } = enrichment;
  if (missing === undefined) return { entities };
  const { customer, bill, requestIds } = missing;
  return { entities, incomplete: { customer, bill, requestIds } };
}

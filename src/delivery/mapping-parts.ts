import type { Enricher } from '../capillary/enricher.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import type { ContactRegister } from './contact-register.ts';

/** What events are mapped with, besides the destination. */
export interface MappingParts {
  /** By name. */
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly contacts: ContactRegister | undefined;
  /** Of the sources whose events are enriched, by name. */
  readonly enrichers: ReadonlyMap<string, Enricher>;
}

/** The enricher of a source; undefined if its events are mapped as they came. */
export type EnricherOf = (source: string) => Enricher | undefined;

export function toMappingParts(
  sources: readonly SourceConfig[],
  contacts: ContactRegister | undefined,
  enricherOf: EnricherOf,
): MappingParts {
  const enrichers = new Map<string, Enricher>();
  for (const { name, enrich } of sources) {
    const enricher = enrich && enricherOf(name);
    if (enricher !== undefined) enrichers.set(name, enricher);
  }
  return { sources: new Map(sources.map((source) => [source.name, source])), contacts, enrichers };
}

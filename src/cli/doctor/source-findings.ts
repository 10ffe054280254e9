import type { Config } from '../../config/config-schema.ts';
import { type Finding, warn } from './finding.ts';

/**
 * Sources that accept any organisation and share a destination with another source: `check` cannot
 * know whether they send different organisations, whose customers can have the same ids.
 */
export function sourceFindings({
  sources,
  destinations,
}: Pick<Config, 'sources' | 'destinations'>): Finding[] {
  return destinations
    .filter(({ format }) => format !== 'raw')
    .flatMap(({ name }) => {
      const senders = sources.filter(({ destination }) => destination === name);
      const open = senders.filter(
        ({ orgIds, identity }) => (orgIds ?? []).length === 0 && !identity.prefix.includes('<orgId>'),
      );
      return senders.length < 2 || open.length === 0
        ? []
        : [
            warn(
              `organisations/${name}`,
              `${senders.length} sources send to it, and ${open.map((source) => source.name).join(', ')} may send any organisation: customers of two organisations with the same id would become one`,
              'list orgIds in each source, or write `identity: { prefix: "<orgId>-" }` in each',
            ),
          ];
    });
}

import type { Config, DestinationConfig, SourceConfig } from '../config/schema.ts';

/** The way of a source's events: the source and where it sends them. */
export interface Way {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
}

/** The way of a source of this configuration. */
export function wayOf({ destinations }: Config, source: SourceConfig): Way {
  const destination = destinations.find((one) => one.name === source.destination);
  // The configuration was refused if it had such a source.
  if (destination === undefined) throw new Error(`the source ${source.name} has no destination`);
  return { source, destination };
}

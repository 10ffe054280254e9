import type { Config, DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import { CommandError, EXIT } from './command-error.ts';

/**
 * The source with this name; without a name, the only source of the configuration.
 * @throws CommandError that lists the configured sources
 */
export function chooseSource({ sources }: Config, name: string | undefined): SourceConfig {
  const names = sources.map((source) => source.name).join(', ');
  if (name === undefined && sources.length > 1)
    throw new CommandError(`there are several sources; choose one with --source: ${names}`, EXIT.usage);
  const source = sources.find((candidate) => name === undefined || candidate.name === name);
  if (source === undefined)
    throw new CommandError(`no such source: ${name}; configured: ${names}`, EXIT.usage);
  return source;
}

/** A source and the destination of its events. */
export interface Route {
  readonly source: SourceConfig;
  readonly destination: DestinationConfig;
}

/** The route of a source of this configuration. */
export function routeOf({ destinations }: Config, source: SourceConfig): Route {
  const destination = destinations.find(({ name }) => name === source.destination);
  // Loading a configuration fails when a source names an unknown destination.
  if (destination === undefined) throw new Error(`the source ${source.name} has no destination`);
  return { source, destination };
}

/** The route of the source with this name; undefined if there is no such source. */
export function routeByName(config: Config, name: string): Route | undefined {
  const source = config.sources.find((candidate) => candidate.name === name);
  return source && routeOf(config, source);
}

/** Creates one value for each name of a source, on demand. */
export function perSource<Value>(create: (name: string) => Value): (name: string) => Value {
  const values = new Map<string, Value>();
  return (name) => {
    const value = values.get(name) ?? create(name);
    values.set(name, value);
    return value;
  };
}

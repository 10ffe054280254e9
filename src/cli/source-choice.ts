import type { Config, SourceConfig } from '../config/schema.ts';
import { CommandError, EXIT } from './command-error.ts';

/**
 * The source of this name; the only one when no name is given.
 * @throws CommandError that lists the sources there are
 */
export function chooseSource({ sources }: Config, name: string | undefined): SourceConfig {
  const names = sources.map((source) => source.name).join(', ');
  if (name === undefined && sources.length > 1)
    throw new CommandError(`there are several sources; choose one with --source: ${names}`, EXIT.usage);
  const source = sources.find((one) => name === undefined || one.name === name);
  if (source === undefined)
    throw new CommandError(`there is no source ${name}; there is: ${names}`, EXIT.usage);
  return source;
}

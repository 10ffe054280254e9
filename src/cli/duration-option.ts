import { InvalidArgumentError } from 'commander';
import { duration } from '../config/field-types.ts';

/**
 * Parses a duration such as `5m` to ms, as the configuration does; commander reports the error as
 * wrong usage. In a file of its own, because it loads the schema library, which most commands do
 * not need.
 */
export function durationBetween(bounds: Parameters<typeof duration>[0]) {
  return (text: string): number => {
    const read = duration(bounds).safeParse(text);
    if (read.success) return read.data;
    throw new InvalidArgumentError(`It ${read.error.issues[0]?.message ?? 'is not a duration'}.`);
  };
}

import { type Command, InvalidArgumentError } from 'commander';

/** Options of a command that lists. */
export interface PageOptions {
  readonly limit: number;
  readonly cursor?: string;
}

const MOST = 500;

const readLimit = (text: string): number => {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST)
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST}.`);
  return limit;
};

/** Adds the options for the page of a list, newest first. */
export const withPage = (command: Command): Command =>
  command
    .option('--limit <count>', `most entries to show, newest first; ${MOST} at most`, readLimit, 50)
    .option('--cursor <cursor>', 'go on where the list before ended');

/** What is said below a list: how to see the rest, if there is more. */
export const formatRest = (next: string | null | undefined): string =>
  next === null || next === undefined ? '' : `\nThere are more: add --cursor ${next}`;

import type { Command } from 'commander';
import { wholeNumberFrom } from './number-option.ts';

/** Options of a command that lists. */
export interface PageOptions {
  readonly limit: number;
  readonly cursor?: string;
}

const MOST = 500;

/** Adds the options for the page of a list, newest first. */
export function withPage(command: Command): Command {
  return command
    .option(
      '--limit <count>',
      `most entries to show, newest first; ${MOST} at most`,
      wholeNumberFrom(1, MOST),
      50,
    )
    .option('--cursor <cursor>', 'go on where the list before ended');
}

/** What is said below a list: how to see the rest, if there is more. */
export function formatRest(next: string | null | undefined): string {
  return next === null || next === undefined ? '' : `\nThere are more: add --cursor ${next}`;
}

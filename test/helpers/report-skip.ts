import { writeSync } from 'node:fs';

const STDERR = 2;

/**
 * Prints one line about a check that is skipped, so that nobody mistakes its silence for success.
 */
export function reportSkip(what: string, why: string): void {
  writeSync(STDERR, `skipped: ${what}: ${why}\n`);
}

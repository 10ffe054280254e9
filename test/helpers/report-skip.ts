import { writeSync } from 'node:fs';

const STDERR = 2;

/** Prints one line about a skipped check, so that its silence is not mistaken for success. */
export function reportSkip(check: string, reason: string): void {
  writeSync(STDERR, `skipped: ${check}: ${reason}\n`);
}

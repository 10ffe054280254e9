import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLocalDate } from '../../src/capillary/times.ts';

const HALF_HOUR = 1_800_000;

/**
 * Changes of the clocks: an hour at night, half an hour, at a minute past midnight, a skipped day.
 */
const CHANGES: readonly (readonly [string, number])[] = [
  ['Europe/London', Date.UTC(2026, 2, 29, 1)],
  ['America/New_York', Date.UTC(2026, 10, 1, 6)],
  ['Australia/Lord_Howe', Date.UTC(2026, 9, 3, 15, 30)],
  ['America/St_Johns', Date.UTC(2007, 10, 4, 2, 31)],
  ['Pacific/Apia', Date.UTC(2011, 11, 30, 10)],
];

function shownIn(timezone: string, at: number): string {
  return new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at);
}

function expectShown(timezone: string, at: number): void {
  const text = shownIn(timezone, at);
  const read = parseLocalDate(text, timezone, 'end');
  expect(`${text} ${shownIn(timezone, read ?? 0)}`).toBe(`${text} ${text}`);
}

test.each(CHANGES)(
  'local times in %s around a change are converted to the right instant',
  (timezone, change) => {
    expect.hasAssertions();
    for (let step = -100; step < 100; step += 1) {
      expectShown(timezone, change + step * HALF_HOUR);
    }
  },
);

test('local times of any day are converted to the right instant, also on a day that is cached', () => {
  expect.hasAssertions();
  const zone = fc.constantFrom(...CHANGES.map(([timezone]) => timezone));
  const at = fc.integer({ min: Date.UTC(2000, 0, 3), max: Date.UTC(2199, 11, 29) });
  fc.assert(
    fc.property(zone, at, (timezone, instant) => {
      expectShown(timezone, instant);
      expectShown(timezone, instant);
    }),
  );
});

import { describe, expect, it } from 'vitest';
import { parseBirthDate } from '../../src/capillary/birth-date.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

function read(value: string | number | boolean | null, timezone = 'Asia/Kolkata') {
  const date = parseBirthDate(value, timezone, NOW);
  return 'day' in date ? date.day : date.fault;
}

describe('a date of birth', () => {
  it.each([
    ['1991-04-17', '1991-04-17'],
    ['1934-12-31 00:00:00', '1934-12-31'],
    ['1991-04-17T15:27:00.000', '1991-04-17'],
    ['2024-02-29T00:00:00Z', '2024-02-29'],
    ['1985-01-01T00:00:00+05:30', '1985-01-01'],
    // Capillary's sample; 4 March 1990 was a Sunday.
    ['Tue Mar 04 15:27:00 GMT 1990', '1990-03-04'],
    ['Sun Mar 04 18:30:00 GMT 1990', '1990-03-05'],
    ['Sun Mar 04 00:00:00 IST 1990', '1990-03-04'],
    ['sun mar 4 00:00:00 UTC 1990', '1990-03-04'],
    ['1984-12-31T18:30:00.000Z', '1985-01-01'],
    ['1984-12-31T18:30:00+0000', '1985-01-01'],
    ['1985-01-01T00:00:00.000Z', '1985-01-01'],
    [Date.UTC(1984, 11, 31, 18, 30), '1985-01-01'],
    [Date.UTC(1985, 0, 1), '1985-01-01'],
    [String(Date.UTC(1985, 0, 1)), '1985-01-01'],
    [Date.UTC(1985, 0, 1) / 1_000, '1985-01-01'],
    [Date.UTC(1984, 11, 31, 18, 30) / 1_000, '1985-01-01'],
    [Date.UTC(1955, 5, 30), '1955-06-30'],
    [`${Date.UTC(1955, 5, 30) / 1_000}.0`, '1955-06-30'],
    [Date.UTC(1955, 5, 29, 18, 30), '1955-06-30'],
    [Date.UTC(1900, 0, 1), '1900-01-01'],
    ['2026-11-20', '2026-11-20'],
  ])('%s is the day %s', (value, day) => expect(read(value)).toBe(day));

  it.each([
    ['04/03/1990', 'ambiguous-date'],
    ['25/03/1990', 'ambiguous-date'],
    ['25-03-1990', 'ambiguous-date'],
    // 1 January in India, not midnight in either zone.
    ['1984-12-31T20:00:00Z', 'ambiguous-date'],
    ['Sun Mar 04 15:27:00 IST 1990', 'ambiguous-date'],
    // A midnight in seconds and in milliseconds.
    [86_400_000, 'ambiguous-date'],
    [631_152_001, 'ambiguous-date'],
    ['0001-01-01', 'not-a-date'],
    ['9999-12-31', 'not-a-date'],
    ['1899-12-31', 'not-a-date'],
    ['2026-11-21', 'not-a-date'],
    ['0000-00-00', 'not-a-date'],
    ['2023-02-29', 'not-a-date'],
    ['Tue Foo 04 15:27:00 GMT 1990', 'not-a-date'],
    [0, 'not-a-date'],
    [1.5, 'not-a-date'],
    [99_999_999_999_999, 'not-a-date'],
    ['', 'not-a-date'],
    [null, 'not-a-date'],
    [true, 'not-a-date'],
    ['in spring', 'not-a-date'],
  ])('%s is none: %s', (value, fault) => expect(read(value)).toBe(fault));

  it('is read in the zone of the source', () => {
    expect(read('1984-12-31T18:30:00.000Z', 'Asia/Kolkata')).toBe('1985-01-01');
    expect(read('1984-12-31T16:00:00.000Z', 'Asia/Singapore')).toBe('1985-01-01');
    expect(read('1985-01-01T05:00:00.000Z', 'America/New_York')).toBe('1985-01-01');
    expect(read('1984-12-31T18:30:00.000Z', 'UTC')).toBe('1984-12-31');
  });
});

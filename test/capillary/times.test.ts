import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEpoch, parseLocalDate, pickTime, toTimestamp } from '../../src/capillary/times.ts';

const shown = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : toTimestamp(at);

describe('parseEpoch', () => {
  it.each([
    [1790848803369, '2026-10-01T10:00:03.369Z'],
    ['1790848803369', '2026-10-01T10:00:03.369Z'],
    ['1790848803369.0', '2026-10-01T10:00:03.369Z'],
    ['1.790848803369E12', '2026-10-01T10:00:03.369Z'],
    [1693333333, '2023-08-29T18:22:13.000Z'],
    ['1693333333', '2023-08-29T18:22:13.000Z'],
    [4946482799000, '2126-09-30T22:59:59.000Z'],
  ])('%s is %s', (value, expected) => {
    expect(shown(parseEpoch(value))).toBe(expected);
  });

  it.each([
    156474848484,
    946684800000,
    7258118400000,
    5320,
    0,
    -1790848803369,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    ' ',
    'soon',
    '2026-10-01',
    null,
    undefined,
    true,
    {},
    [1790848803369],
  ])('%s is no date', (value) => {
    expect(parseEpoch(value)).toBeUndefined();
  });
});

describe('parseLocalDate', () => {
  it.each([
    ['2024-10-19', 'Asia/Kolkata', '2024-10-19T18:29:59.999Z'],
    ['2024-10-19', 'UTC', '2024-10-19T23:59:59.999Z'],
    ['2026-03-29', 'Europe/London', '2026-03-29T22:59:59.999Z'],
    ['2026-10-25', 'Europe/London', '2026-10-25T23:59:59.999Z'],
    ['2026-06-30', 'Pacific/Apia', '2026-06-30T10:59:59.999Z'],
    ['2026-12-31', 'America/St_Johns', '2027-01-01T03:29:59.999Z'],
    ['2124-01-01', 'UTC', '2124-01-01T23:59:59.999Z'],
  ])('%s in %s ends at %s', (text, zone, expected) => {
    expect(shown(parseLocalDate(text, zone))).toBe(expected);
  });

  it('takes the later of two midnights where the clocks go back at midnight', () => {
    expect(shown(parseLocalDate('2026-10-29', 'Africa/Cairo'))).toBe('2026-10-29T21:59:59.999Z');
  });

  it.each([
    ['2026-11-06 10:00:00', '2026-11-06T04:30:00.000Z'],
    [' 2026-11-06T10:00:00.25 ', '2026-11-06T04:30:00.250Z'],
    ['2026-11-06 10:00', '2026-11-06T04:30:00.000Z'],
    ['2026-11-06T10:00:00Z', '2026-11-06T10:00:00.000Z'],
    ['2026-11-06T10:00:00+05:30', '2026-11-06T04:30:00.000Z'],
    ['2026-11-06T10:00:00.123456789+0530', '2026-11-06T04:30:00.123Z'],
    ['2026-11-06 10:00:00 -08:00', '2026-11-06T18:00:00.000Z'],
  ])('%s is a time of that zone, or of its own', (text, expected) => {
    expect(shown(parseLocalDate(text, 'Asia/Kolkata'))).toBe(expected);
  });

  it('takes the first of a time that the clocks show twice, and moves on one that they skip', () => {
    expect(shown(parseLocalDate('2026-10-25 01:30:00', 'Europe/London'))).toBe('2026-10-25T00:30:00.000Z');
    expect(shown(parseLocalDate('2026-03-29 01:30:00', 'Europe/London'))).toBe('2026-03-29T01:30:00.000Z');
  });

  it.each([
    '',
    '2024-02-30',
    '2024-13-01',
    '1999-12-31',
    '2201-01-01',
    '2026-11-06 25:00:00',
    '2026-11-06T10:00:00+99:99',
    'x2026-11-06',
    '06/11/2026',
  ])('%s is no date', (text) => expect(parseLocalDate(text, 'UTC')).toBeUndefined());

  it('never throws, and gives nothing outside of 2000–2200', () => {
    const zones = fc.constantFrom(
      'UTC',
      'Asia/Kolkata',
      'Europe/London',
      'America/Sao_Paulo',
      'Pacific/Apia',
    );
    fc.assert(
      fc.property(fc.string(), fc.date({ noInvalidDate: true }), zones, (text, date, zone) => {
        for (const candidate of [text, date.toISOString(), date.toISOString().slice(0, 10)]) {
          const at = parseLocalDate(candidate, zone);
          expect(at === undefined || (at > Date.UTC(2000, 0) && at < Date.UTC(2200, 0))).toBe(true);
        }
      }),
    );
  });
});

describe('pickTime', () => {
  it('prefers the shadow field in milliseconds, if that is a date', () => {
    const both = { expiryAt: '2024-10-19', expiryAtInMillis: 1729362599000 };

    expect(pickTime(both, 'expiryAt', 'UTC')).toBe(1729362599000);
    expect(shown(pickTime({ ...both, expiryAtInMillis: 12 }, 'expiryAt', 'UTC'))).toBe(
      '2024-10-19T23:59:59.999Z',
    );
    expect(pickTime({ enteredAt: '1693333333' }, 'enteredAt', 'UTC')).toBe(1693333333000);
    expect(pickTime({ expiryAt: 'expiryAt' }, 'expiryAt', 'UTC')).toBeUndefined();
    expect(pickTime({}, 'expiryAt', 'UTC')).toBeUndefined();
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEpoch, parseLocalDate, pickTime, toTimestamp } from '../../src/capillary/times.ts';

function shown(at: number | undefined): string | undefined {
  return at === undefined ? undefined : toTimestamp(at);
}

describe('parseEpoch', () => {
  it.each([
    [1790848803369, '2026-10-01T10:00:03.369Z'],
    ['1790848803369', '2026-10-01T10:00:03.369Z'],
    ['1790848803369.0', '2026-10-01T10:00:03.369Z'],
    ['1.790848803369E12', '2026-10-01T10:00:03.369Z'],
    [1693333333, '2023-08-29T18:22:13.000Z'],
    ['1693333333', '2023-08-29T18:22:13.000Z'],
    [4946482799000, '2126-09-30T22:59:59.000Z'],
    [1_000_000_000, '2001-09-09T01:46:40.000Z'],
    [1790848803.5, '2026-10-01T10:00:03.500Z'],
    ['001790848803369', '2026-10-01T10:00:03.369Z'],
    [7258118399, '2199-12-31T23:59:59.000Z'],
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
    999_999_999,
    9_999_999_999,
    1_790_848_803_369_000,
    '1790848803369000',
    '1790848803369000000',
    253_402_300_799_999,
    '+1790848803',
    '1_790_848_803',
    '1,790,848,803',
    '0x6ABDF3E3',
    '١٧٩٠٨٤٨٨٠٣',
    '1790848803369L',
    '1e999',
    'Infinity',
  ])('%s is not a date', (value) => {
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
    ['2024-02-29', 'UTC', '2024-02-29T23:59:59.999Z'],
    ['2199-12-31', 'UTC', '2199-12-31T23:59:59.999Z'],
    // The days before, at and after changes of the clocks.
    ['2026-03-28', 'Europe/Berlin', '2026-03-28T22:59:59.999Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-29T21:59:59.999Z'],
    ['2026-10-24', 'Europe/Berlin', '2026-10-24T21:59:59.999Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-25T22:59:59.999Z'],
    ['2026-03-08', 'America/New_York', '2026-03-09T03:59:59.999Z'],
    ['2026-11-01', 'America/New_York', '2026-11-02T04:59:59.999Z'],
    ['2026-04-05', 'Australia/Lord_Howe', '2026-04-05T13:29:59.999Z'],
    ['2026-10-04', 'Australia/Lord_Howe', '2026-10-04T12:59:59.999Z'],
    ['2018-11-03', 'America/Sao_Paulo', '2018-11-04T02:59:59.999Z'],
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-05T01:59:59.999Z'],
    ['2018-02-17', 'America/Sao_Paulo', '2018-02-18T02:59:59.999Z'],
    ['2026-02-17', 'America/Sao_Paulo', '2026-02-18T02:59:59.999Z'],
    // Samoa had no 30 December 2011.
    ['2011-12-29', 'Pacific/Apia', '2011-12-30T09:59:59.999Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-31T09:59:59.999Z'],
  ])('%s in %s ends at %s', (text, zone, expected) => {
    expect(shown(parseLocalDate(text, zone, 'end'))).toBe(expected);
  });

  it.each([
    ['2026-10-01', 'Asia/Kolkata', '2026-09-30T18:30:00.000Z'],
    ['2026-10-01', 'UTC', '2026-10-01T00:00:00.000Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z'],
    // The clocks skip midnight, go back at midnight, or skip the whole day.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    ['2018-02-18', 'America/Sao_Paulo', '2018-02-18T03:00:00.000Z'],
    ['2011-12-30', 'Pacific/Apia', '2011-12-30T10:00:00.000Z'],
  ])('%s in %s starts at %s', (text, zone, expected) => {
    expect(shown(parseLocalDate(text, zone, 'start'))).toBe(expected);
  });

  it('uses the later of two midnights if the clocks go back at midnight', () => {
    expect(shown(parseLocalDate('2026-10-29', 'Africa/Cairo', 'end'))).toBe('2026-10-29T21:59:59.999Z');
  });

  it.each([
    ['2026-11-06 10:00:00', '2026-11-06T04:30:00.000Z'],
    [' 2026-11-06T10:00:00.25 ', '2026-11-06T04:30:00.250Z'],
    ['2026-11-06 10:00', '2026-11-06T04:30:00.000Z'],
    ['2026-11-06T10:00:00Z', '2026-11-06T10:00:00.000Z'],
    ['2026-11-06T10:00:00+05:30', '2026-11-06T04:30:00.000Z'],
    ['2026-11-06T10:00:00.123456789+0530', '2026-11-06T04:30:00.123Z'],
    ['2026-11-06 10:00:00 -08:00', '2026-11-06T18:00:00.000Z'],
  ])('%s is a time in the zone, or has an offset of its own', (text, expected) => {
    expect(shown(parseLocalDate(text, 'Asia/Kolkata', 'end'))).toBe(expected);
  });

  it.each([
    ['2026-11-06T10:00:00+05', '2026-11-06T05:00:00.000Z'],
    ['2026-11-06 10:00:00+00', '2026-11-06T10:00:00.000Z'],
    ['2026-11-06t10:00:00z', '2026-11-06T10:00:00.000Z'],
    ['2026-11-06T10:00Z', '2026-11-06T10:00:00.000Z'],
    ['2026-11-06T10:00:00.1-0330', '2026-11-06T13:30:00.100Z'],
    ['2026-11-06T10:00:00+14:00', '2026-11-05T20:00:00.000Z'],
    ['2026-11-06T24:00:00Z', '2026-11-07T00:00:00.000Z'],
    ['2026-11-06 24:00:00', '2026-11-06T18:30:00.000Z'],
  ])('%s is read according to ISO 8601', (text, expected) => {
    expect(shown(parseLocalDate(text, 'Asia/Kolkata', 'end'))).toBe(expected);
  });

  describe('on the day the clocks change', () => {
    it.each([
      // Skipped: the offset before the change applies.
      ['2026-03-29 02:30:00', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
      ['2026-03-08 02:30:00', 'America/New_York', '2026-03-08T07:30:00.000Z'],
      ['2026-10-04 02:15:00', 'Australia/Lord_Howe', '2026-10-03T15:45:00.000Z'],
      ['2018-11-04 00:30:00', 'America/Sao_Paulo', '2018-11-04T03:30:00.000Z'],
      ['2011-12-30 12:00:00', 'Pacific/Apia', '2011-12-30T22:00:00.000Z'],
      // Shown twice: the first one.
      ['2026-10-25 02:30:00', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
      ['2026-11-01 01:30:00', 'America/New_York', '2026-11-01T05:30:00.000Z'],
      ['2026-04-05 01:45:00', 'Australia/Lord_Howe', '2026-04-04T14:45:00.000Z'],
      ['2018-02-17 23:30:00', 'America/Sao_Paulo', '2018-02-18T01:30:00.000Z'],
      // Close to a change, and where there is none.
      ['2026-03-29 01:59:59.999', 'Europe/Berlin', '2026-03-29T00:59:59.999Z'],
      ['2026-03-29 03:00:00', 'Europe/Berlin', '2026-03-29T01:00:00.000Z'],
      ['2026-10-25 03:00:00', 'Europe/Berlin', '2026-10-25T02:00:00.000Z'],
      ['2026-10-04 02:45:00', 'Australia/Lord_Howe', '2026-10-03T15:45:00.000Z'],
      ['2026-03-29 02:30:00', 'Asia/Kolkata', '2026-03-28T21:00:00.000Z'],
      ['2026-11-04 00:30:00', 'America/Sao_Paulo', '2026-11-04T03:30:00.000Z'],
    ])('%s in %s is %s', (text, zone, expected) => {
      expect(shown(parseLocalDate(text, zone, 'end'))).toBe(expected);
    });
  });

  it('returns a time that the clocks of the zone show, and both ends of a day', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'America/Sao_Paulo',
      'Asia/Kolkata',
    ];
    const clocks = new Map(
      zones.map((timeZone) => [
        timeZone,
        new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }),
      ]),
    );
    const show = (at: number, zone: string): string => clocks.get(zone)?.format(at) ?? '';
    const instants = fc.integer({ min: Date.UTC(2000, 0, 3) / 1_000, max: Date.UTC(2037, 0) / 1_000 });
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), (second, zone) => {
        const at = second * 1_000;
        const read = parseLocalDate(show(at, zone), zone, 'end') ?? 0;
        const day = show(at, zone).slice(0, 10);
        const end = parseLocalDate(day, zone, 'end') ?? 0;
        const start = parseLocalDate(day, zone, 'start') ?? 0;

        expect(show(read, zone)).toBe(show(at, zone));
        expect(at - read).toBeOneOf([0, 3_600_000, 1_800_000]);
        expect(show(end, zone)).toBe(`${day} 23:59:59`);
        expect(show(end + 1, zone).startsWith(day)).toBe(false);
        expect(show(start, zone).startsWith(day)).toBe(true);
        expect(start).toBeLessThanOrEqual(at);
      }),
      { numRuns: 300 },
    );
  });

  it('uses the first of two equal local times, and moves a skipped one forward', () => {
    expect(shown(parseLocalDate('2026-10-25 01:30:00', 'Europe/London', 'end'))).toBe(
      '2026-10-25T00:30:00.000Z',
    );
    expect(shown(parseLocalDate('2026-03-29 01:30:00', 'Europe/London', 'end'))).toBe(
      '2026-03-29T01:30:00.000Z',
    );
  });

  it.each([
    '',
    '2024-02-30',
    '2024-13-01',
    '1999-12-31',
    '2201-01-01',
    '2026-11-06 25:00:00',
    '2026-11-06T10:00:00+99:99',
    '2023-02-29',
    '2100-02-29',
    '0001-01-01T00:00:00Z',
    '0001-01-01',
    '0000-00-00 00:00:00',
    '9999-12-31',
    '9999-12-31T23:59:59.999Z',
    '2200-01-01',
    '2000-01-01T00:00:00Z',
    '2026-11-06 23:59:60',
    '2016-12-31T23:59:60Z',
    '2026-11-06 24:00:01',
    '2026-11-06T24:00:01Z',
    '2026-11-06T10:00:00+24:00',
    '2026-11-06T10:00:00,123Z',
    '2026-11-06T10:00:00.1234567890Z',
    '2026-11-06T10:00:00 IST',
    '2026-11-06T10',
    '20261106',
    '٢٠٢٦-١١-٠٦',
    'x2026-11-06',
    '06/11/2026',
  ])('%s is not a date', (text) => expect(parseLocalDate(text, 'UTC', 'end')).toBeUndefined());

  it('never throws, and returns nothing outside of 2000–2200', () => {
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
          const at = parseLocalDate(candidate, zone, 'end');
          expect(at === undefined || (at > Date.UTC(2000, 0) && at < Date.UTC(2200, 0))).toBe(true);
        }
      }),
    );
  });
});

describe('pickTime', () => {
  it('prefers the shadow field in milliseconds, if that is a date', () => {
    const both = { expiryAt: '2024-10-19', expiryAtInMillis: 1729362599000 };

    expect(pickTime(both, 'expiryAt', 'UTC', 'end')).toBe(1729362599000);
    expect(shown(pickTime({ ...both, expiryAtInMillis: 12 }, 'expiryAt', 'UTC', 'end'))).toBe(
      '2024-10-19T23:59:59.999Z',
    );
    expect(pickTime({ enteredAt: '1693333333' }, 'enteredAt', 'UTC', 'end')).toBe(1693333333000);
    expect(pickTime({ expiryAt: 'expiryAt' }, 'expiryAt', 'UTC', 'end')).toBeUndefined();
    expect(pickTime({}, 'expiryAt', 'UTC', 'end')).toBeUndefined();
  });
});

describe('a field and its shadow field in milliseconds', () => {
  const shadow = 1_729_362_599_000;
  const field = '2026-10-01';
  const ofField = '2026-10-01T23:59:59.999Z';

  it.each([
    ['disagrees', shadow, field, '2024-10-19T18:29:59.000Z'],
    ['is a string', String(shadow), field, '2024-10-19T18:29:59.000Z'],
    ['is in seconds', 1_729_362_599, field, '2024-10-19T18:29:59.000Z'],
    ['is alone', shadow, undefined, '2024-10-19T18:29:59.000Z'],
    ['is beside a placeholder', shadow, '0001-01-01', '2024-10-19T18:29:59.000Z'],
    ['is 0', 0, field, ofField],
    ['is -1', -1, field, ofField],
    ['is null', null, field, ofField],
    ['is in microseconds', 1_729_362_599_000_000, field, ofField],
    ['is of the year 9999', 253_402_300_799_000, field, ofField],
    ['is not a time', 'expiryAtInMillis', field, ofField],
    ['means never, like the field', 253_402_300_799_000, '9999-12-31', undefined],
    ['means never, a hundred years ahead', 4_946_482_799_000, '2126-10-01', '2126-09-30T22:59:59.000Z'],
    ['is 0 and so is the field', 0, 0, undefined],
  ])('whose shadow %s', (_name, expiryAtInMillis, expiryAt, expected) => {
    const fields = { expiryAtInMillis, ...(expiryAt === undefined ? {} : { expiryAt }) };

    expect(shown(pickTime(fields, 'expiryAt', 'UTC', 'end'))).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { codesOf, eventWith, messagesOf } from '../mapping-rig.ts';

async function birthDateOf(currentValue: string) {
  const mapped = await messagesOf(
    eventWith('customerUpdated', { updatedFields: [{ fieldName: 'dob', currentValue }] }),
  );
  return { day: mapped.profile?.attributes.get('person.birthDate'), codes: codesOf(mapped) };
}

describe('a date of birth', () => {
  it.each([
    ['1991-04-17', '1991-04-17'],
    ['1934-12-31 00:00:00', '1934-12-31'],
    ['2024-02-29T00:00:00Z', '2024-02-29'],
  ])('%s is the day %s', async (value, day) => expect(await birthDateOf(value)).toEqual({ day, codes: [] }));

  it.each([
    '0001-01-01',
    '9999-12-31',
    '1899-12-31',
    '0000-00-00',
    '2023-02-29',
    '17/04/1991',
    '671846400000',
  ])('%s is invalid', async (value) =>
    expect(await birthDateOf(value)).toEqual({
      day: undefined,
      codes: ['not-a-date data.updatedFields[0].currentValue'],
    }),
  );
});

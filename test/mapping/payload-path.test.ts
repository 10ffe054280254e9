import { describe, expect, it } from 'vitest';
import { createPayloadPath } from '../../src/mapping/payload-path.ts';

describe('a path in a payload', () => {
  it('is found again by its keys', () => {
    const data = createPayloadPath('data');
    const store = data.field('lines').items().field('store');

    expect(store.text).toBe('data.lines[].store');
    expect(data.field('lines').items().field('store')).toBe(store);
    expect(data.field('customFields').entry('tier').text).toBe('data.customFields[tier]');
  });

  it.each(['518200431', '2026-01-31', '+919812345678', '-1', 'A100231', 'a@x.org', 'k'.repeat(65)])(
    'has no key that looks like data: %s',
    (key) => {
      const data = createPayloadPath('data');

      expect(data.field(key).text).toBe('data.*');
      expect(data.field(key)).toBe(data.field('99999'));
    },
  );

  it.each(['address1', 'tier_2026', '_id', 'größe', 'Favourite Store'])('keeps the name %s', (key) => {
    expect(createPayloadPath('data').field(key).text).toBe(`data.${key}`);
  });

  it('is told beyond the bound too, but no longer kept', () => {
    const data = createPayloadPath('data');
    const keys = Array.from(
      { length: 20_001 },
      (_, at) => `k${at.toString(2).replaceAll('1', 'a').replaceAll('0', 'b')}`,
    );

    expect(keys.map((key) => data.field(key).text)).toEqual(keys.map((key) => `data.${key}`));
    expect(data.field(keys[0]!)).toBe(data.field(keys[0]!));
    expect(data.field(keys[20_000]!)).not.toBe(data.field(keys[20_000]!));
  });
});

import { describe, expect, it } from 'vitest';
import { CATALOGUE, metricEventName } from '../../src/capillary/catalogue.ts';
import { FAMILIES } from '../../src/mapping/families/families.ts';

describe('catalogue of event names', () => {
  it('knows the 90 public names, those with a mapping of their own among them', () => {
    expect(CATALOGUE.size).toBe(90);
    expect([...FAMILIES.keys()].filter((name) => !CATALOGUE.has(name))).toEqual([]);
    expect(CATALOGUE.get('CouponIssue')).toBe('coupon');
  });

  it('gives any other name one metric label', () => {
    expect(metricEventName('tierUpgraded')).toBe('tierUpgraded');
    expect(metricEventName('TierUpgraded')).toBe('other');
    expect(metricEventName('__proto__')).toBe('other');
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CATALOGUE, metricEventName } from '../../src/capillary/catalogue.ts';
import { FAMILIES } from '../../src/mapping/families/index.ts';
import { referencePath } from '../helpers/reference.ts';

const reference = referencePath('capillary.md', 'event names against the reference');

describe('catalogue of event names', () => {
  it('has the 90 public names, including all that have a mapping of their own', () => {
    expect(CATALOGUE.size).toBe(90);
    expect([...FAMILIES.keys()].filter((name) => !CATALOGUE.has(name))).toEqual([]);
    expect(CATALOGUE.get('CouponIssue')?.area).toBe('coupon');
    expect(CATALOGUE.get('tierDowngraded')).toEqual({
      area: 'tier',
      meaning: 'A customer was downgraded to a lower tier.',
    });
  });

  it('explains each name in one short sentence of its own', () => {
    const meanings = [...CATALOGUE.values()].map(({ meaning }) => meaning);

    expect(meanings.filter((meaning) => !/^[A-Z][^\n]{12,90}\.$/.test(meaning))).toEqual([]);
    expect(new Set(meanings).size).toBe(CATALOGUE.size);
  });

  it.runIf(reference)('has exactly the names of the reference', () => {
    const section =
      /### 4\.1 [^\n]*\n([\s\S]*?)\n### 4\.2 /.exec(readFileSync(reference!, 'utf8'))?.[1] ?? '';
    const rows = section.split('\n').filter((line) => /^\| [A-Z]/.test(line) && !line.startsWith('| Area'));
    const names = rows
      .flatMap((row) => row.split('|')[2]?.split('·') ?? [])
      .map((entry) => /^[\s*]*(\w+)/.exec(entry)?.[1] ?? '');

    expect(new Set(names)).toEqual(new Set(CATALOGUE.keys()));
  });

  it('has one metric label for all other names', () => {
    expect(metricEventName('tierUpgraded')).toBe('tierUpgraded');
    expect(metricEventName('TierUpgraded')).toBe('other');
    expect(metricEventName('__proto__')).toBe('other');
  });
});

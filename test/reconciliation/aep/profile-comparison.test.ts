import { describe, expect, it } from 'vitest';
import { differingPaths, pathsText } from '../../../src/reconciliation/aep/profile-comparison.ts';

const SENT = {
  _id: 'cap-1',
  person: { name: { firstName: 'Meera' } },
  loyalty: { points: 12, joinDate: '2026-01-02T00:00:00.000Z', loyaltyID: ['a', 'b'] },
  identityMap: { Email: [{ id: 'a@example.com' }] },
  extSourceSystemAudit: { lastUpdatedDate: '2026-01-02T00:00:00Z' },
};

describe('the profile', () => {
  it.each([
    ['the same', SENT],
    ['more from other datasets', { ...SENT, homeAddress: { city: 'X' } }],
    ['another `_id`, identities and audit', { ...SENT, _id: 'x', identityMap: {}, extSourceSystemAudit: {} }],
    [
      'another form of a time, and another order of a list',
      { ...SENT, loyalty: { points: 12, joinDate: '2026-01-02T00:00:00Z', loyaltyID: ['b', 'a'] } },
    ],
  ])('does not differ with %s', (_what, stored) => {
    expect(differingPaths(SENT, stored)).toEqual([]);
  });

  it('differs in the attributes that are absent or have another value', () => {
    const stored = { ...SENT, person: {}, loyalty: { ...SENT.loyalty, points: 13, loyaltyID: ['a'] } };
    expect(differingPaths(SENT, stored)).toEqual([
      'person.name.firstName',
      'loyalty.points',
      'loyalty.loyaltyID',
    ]);
  });

  it('is described by paths, of which only some are named', () => {
    expect(pathsText(['a', 'b'])).toBe('a, b');
    expect(pathsText(Array.from({ length: 12 }, (_, place) => `p${place}`))).toMatch(/p9 and 2 more$/);
  });
});

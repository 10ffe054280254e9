import { describe, expect, it } from 'vitest';
import type { ProgramEntity } from '../../../src/capillary/entities.ts';
import { pointsSnapshotFacts } from '../../../src/mapping/snapshot/points-snapshot.ts';

const ALL: ProgramEntity = {
  programId: '973',
  points: 145,
  lifetimePoints: 1_345,
  redeemed: 1_100,
  expired: 100,
  returned: 0,
  adjusted: 0,
  promised: 3,
  purchases: 1_834.5,
  lots: [
    { points: 20, expiryDate: '2026-12-31' },
    { points: 60, expiryDate: '2026-11-30' },
    { points: 25, expiryDate: '2026-12-31' },
  ],
};

describe('the points of one program', () => {
  it('are one fact, with the lots of each day at the end of that day of the organisation', () => {
    expect(pointsSnapshotFacts(ALL, { timezone: 'Asia/Kolkata' })).toEqual([
      [
        '@p[973].snap',
        {
          b: 145,
          l: 1_345,
          o: 1_100,
          e: 100,
          a: 0,
          t: 0,
          p: 3,
          c: 1_834.5,
          i: [
            [Date.parse('2026-11-30T18:29:59.999Z'), 60],
            [Date.parse('2026-12-31T18:29:59.999Z'), 45],
          ],
        },
      ],
    ]);
  });

  it.each<[string, ProgramEntity['lots']]>([
    ['were not read', undefined],
    ['have a date that is none', [{ points: 20, expiryDate: '2026-02-30' }]],
  ])('are a fact of another name if the lots %s', (_, lots) => {
    const program = { programId: '973', points: 145, ...(lots && { lots }) };

    expect(pointsSnapshotFacts(program, { timezone: 'UTC' })).toEqual([['@p[973].snapBalance', { b: 145 }]]);
  });

  it('are no fact without a balance, or without a program that can be one', () => {
    const { points, ...rest } = ALL;

    expect(points).toBeDefined();
    expect(pointsSnapshotFacts(rest, { timezone: 'UTC' })).toEqual([]);
    expect(pointsSnapshotFacts({ ...ALL, programId: '_' }, { timezone: 'UTC' })).toEqual([]);
    expect(pointsSnapshotFacts({ ...ALL, programId: 'a b' }, { timezone: 'UTC' })).toEqual([]);
  });
});

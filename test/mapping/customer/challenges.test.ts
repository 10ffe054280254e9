import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CapillaryEvent } from '../../../src/capillary/event.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { fixtureEvent } from '../mapping-rig.ts';
import { applyEvents, contextWith, DAY, eventAt, START, valueAt } from './event-rig.ts';

const LOYALTY_2026 = contextWith({ schemaFeatures: { loyalty2026: true } });

const TARGET = {
  id: 7301,
  name: 'Spend 5,000',
  targetGroupId: 910,
  targetGroupName: 'Monsoon',
  targetPeriodId: 5520,
  description: 'Bills without returns',
};

function target(at: number, name: string, more: JsonObject = {}): CapillaryEvent {
  return eventAt(at, name, { targetDetails: TARGET, ...more });
}

function streak(at: number, name: string, list: string, more: JsonObject = {}): CapillaryEvent {
  return eventAt(at, name, { [list]: [{ streakName: 'Weekly visit', ...more }] });
}

async function challengesAfter(events: readonly CapillaryEvent[], context = LOYALTY_2026) {
  const { record } = await applyEvents(events, context);
  return valueAt(record, 'loyalty.challenges') as JsonObject[] | undefined;
}

async function stateAfter(...events: readonly CapillaryEvent[]) {
  return (await challengesAfter(events))?.map(({ state }) => state);
}

describe('a target', () => {
  it('is a challenge with its goal, progress and milestones', async () => {
    const enrolment = eventAt(START, 'targetCustomerEnrolment', {
      targetId: 7301,
      targetName: 'Spend 5,000',
      targetGroupName: 'Monsoon',
      targetPeriodId: 5520,
      targetPeriodStartDateInMillis: START,
      description: 'Bills without returns',
      defaultTargetValue: '5000',
      milestoneDetails: [{ id: 61, name: 'Half way', valueType: 'AMOUNT', definedValue: '2500.00' }],
    });
    const progress = target(START + 2, 'targetAchievedValueUpdated', {
      achievedTargetValue: '3100.25',
      definedTargetValue: '4500',
      milestoneDetails: [
        { id: 61, name: 'Half way', valueType: 'AMOUNT', definedValue: '2500', achievedDate: START + 1 },
      ],
    });
    const challenges = await challengesAfter([enrolment, progress]);

    expect(challenges).toEqual([
      {
        id: '7301',
        name: 'Spend 5,000',
        description: 'Bills without returns',
        series: 'Monsoon',
        startDate: new Date(START).toISOString(),
        tasks: [
          { name: 'Spend 5,000', goal: 4500, progress: 3100.25, state: 'in progress' },
          { name: 'Half way', type: 'AMOUNT', goal: 2500, state: 'completed' },
        ],
        state: 'active',
      },
    ]);
    expect(await challengesAfter([progress, enrolment, progress])).toEqual(challenges);
  });

  it('has a state', async () => {
    const values = (achieved: string) => ({ achievedTargetValue: achieved, definedTargetValue: '10' });

    expect(await stateAfter(target(START, 'targetPeriodStarted'))).toEqual(['active']);
    expect(await stateAfter(target(START, 'targetValueAchieved'))).toEqual(['completed']);
    expect(await stateAfter(target(START, 'targetCustomerUnenrolment'))).toEqual(['revoked']);
    expect(await stateAfter(target(START, 'targetPeriodCompleted', values('10')))).toEqual(['completed']);
    expect(await stateAfter(target(START, 'targetPeriodCompleted', values('9')))).toEqual(['expired']);
    expect(await stateAfter(target(START, 'targetPeriodCompleted'))).toEqual(['ended']);
    expect(
      await stateAfter(target(START + 1, 'targetPeriodCompleted'), target(START, 'targetValueAchieved')),
    ).toEqual(['completed']);
  });

  it('is a challenge per period', async () => {
    const next = eventAt(START + 1, 'targetPeriodStarted', {
      targetDetails: { ...TARGET, targetPeriodId: 5521 },
    });

    expect(await stateAfter(target(START, 'targetValueAchieved'), next)).toEqual(['active', 'completed']);
  });
});

describe('a unified group of targets', () => {
  const group = (at: number, name: string, achieved: number): CapillaryEvent =>
    eventAt(at, name, {
      unifiedTargetGroupDetails: { targetGroupId: 911, targetGroupName: 'Two of three' },
      targetData: [
        { targetId: 7301, targetName: 'Spend', targetPeriodId: 1, achievedTargetValue: achieved },
        { targetId: 7302, targetName: 'Visits', targetPeriodId: 1, definedTargetValue: '4' },
      ],
    });

  it('is one challenge, whose tasks are its targets', async () => {
    const events = [
      group(START, 'unifiedTargetsAchieved', 9),
      group(START + 1, 'unifiedTargetsUnAchieved', 5),
    ];

    expect(await challengesAfter(events.slice(0, 1))).toMatchObject([{ state: 'completed' }]);
    expect(await challengesAfter(events.toReversed())).toEqual([
      {
        id: '911',
        name: 'Two of three',
        tasks: [
          { name: 'Spend', progress: 5 },
          { name: 'Visits', goal: 4 },
        ],
        state: 'active',
      },
    ]);
  });
});

describe('a streak', () => {
  const enrolment = streak(START, 'streakCustomerEnrolment', 'streakEnrolmentData', {
    userStreakId: 'us-41',
    descriptionOfTheStreak: 'A bill in each week',
    numberOfLevel: 3,
    levelValues: ['2', '4', 'eight'],
    startDate: START,
    endDate: START + 20 * DAY,
    streakValueWhenEnrolled: '0',
  });
  const level = streak(START + 5, 'streakLevelAchieved', 'streakData', {
    streakId: 'st-9',
    userStreakId: 'us-41',
    userCurrentStreakValue: '4',
    streakLevelName: 'Second leaf',
  });

  it('is a challenge, whose tasks are its levels', async () => {
    const challenges = await challengesAfter([level, enrolment]);

    expect(challenges).toEqual([
      {
        id: 'us-41',
        name: 'Weekly visit',
        description: 'A bill in each week',
        startDate: new Date(START).toISOString(),
        endDate: new Date(START + 20 * DAY).toISOString(),
        tasks: [
          { type: 'level', goal: 2, progress: 4 },
          { type: 'level', goal: 4, progress: 4 },
        ],
        state: 'active',
      },
    ]);
    expect(await challengesAfter([level])).toEqual([
      {
        id: 'us-41',
        name: 'Weekly visit',
        tasks: [{ name: 'Second leaf', progress: 4, state: 'in progress' }],
        state: 'active',
      },
    ]);
  });

  it.each([
    ['completed', { numberOfLevel: 3, numberOfLevelsAchievedByTheUser: '3' }],
    ['expired', { numberOfLevel: 3, numberOfLevelsAchievedByTheUser: '2' }],
    ['ended', {}],
  ])('is %s if it ends with %j', async (state, levels) => {
    const end = streak(START + 9, 'streakEnd', 'streakEndData', { endDate: START + 9, ...levels });

    expect(await stateAfter(end)).toEqual([state]);
  });

  it('is over after its last day, and after the customer left it', async () => {
    const left = streak(START + 9, 'streakCustomerUnEnrolment', 'streakUnEnrolmentData', {
      userStreakId: 'us-41',
    });
    const later = eventAt(START + 21 * DAY, 'customerUpdated', { firstName: 'Meera' });

    expect(await stateAfter(left, enrolment)).toEqual(['revoked']);
    expect(await stateAfter(enrolment, later)).toEqual(['expired']);
  });
});

describe('challenges', () => {
  it('are below the tenant, the active ones only, if the schema has none', async () => {
    const events = [
      target(START, 'targetPeriodStarted'),
      eventAt(START, 'targetValueAchieved', { targetDetails: { ...TARGET, id: 1 } }),
    ];
    const { record } = await applyEvents(events, contextWith({}));

    expect(record['loyalty']).toBeUndefined();
    expect(valueAt(record, '_acme.capillary.challenges')).toMatchObject([{ id: '7301', state: 'active' }]);
  });

  it('are the same in any order of the documented events', async () => {
    const names = [
      'targetCustomerEnrolment',
      'targetPeriodStarted',
      'targetValueUpdated',
      'targetAchievedValueUpdated',
      'targetValueAchieved',
      'unifiedTargetsAchieved',
      'unifiedTargetsUnAchieved',
      'targetPeriodCompleted',
      'streakCustomerEnrolment',
      'streakStart',
      'streakLevelAchieved',
      'streakLevelUnAchieved',
      'streakEnd',
    ];
    const events = names.map(fixtureEvent);
    const expected = await challengesAfter(events);

    expect(expected?.map(({ name, state }) => [name, state])).toEqual([
      ['Two of three', 'active'],
      ['Weekly visit', 'expired'],
      ['Spend 5,000 in a month', 'completed'],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length }),
        async (order) => {
          expect(await challengesAfter(order)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });
});

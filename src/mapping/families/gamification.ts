import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

/**
 * All events of milestones, which Capillary calls targets: enrolment, periods, values, unified
 * target groups (docs/platforms/capillary.md#targets-and-streaks). An enrolment has the fields of
 * its target directly in `data`, the others have them in `targetDetails`.
 */
export function mapTarget({ event, data }: FamilyInput): FamilyResult {
  const details = data.object('targetDetails');
  const unified = data.object('unifiedTargetGroupDetails');
  const condition = unified.object('unifiedTargetsAchievementCondition');
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      target: {
        ...targetFields(data),
        ...withoutUndefined(targetFields(details)),
        ...withoutUndefined(targetFields(unified)),
        ...targetValues(data),
        source: data.text('source'),
        defaultValue: data.number('defaultTargetValue'),
        eventValue: data.number('currentEventTargetValue'),
        periodStartDate: data.startTime('targetPeriodStartDate'),
        cycleStartDate: data.startTime('targetCycleStartDate'),
      },
      targets: targets(data),
      unifiedTarget: {
        combinationType: condition.text('combinationType'),
        aggregation: condition.text('aggregation'),
        ruleExpression: condition.text('ruleExpression'),
        thresholdValue: condition.number('thresholdValue'),
      },
      milestones: data.list('milestoneDetails').map((milestone) => ({
        id: milestone.id('id'),
        name: milestone.text('name'),
        valueType: milestone.text('valueType'),
        definedValue: milestone.number('definedValue'),
        achievedDate: milestone.startTime('achievedDate'),
      })),
      transaction: { id: data.id('transactionId') },
    },
  };
}

/** The targets that an event lists: those of a unified group or of a streak. */
function targets(data: Reader): readonly Draft[] {
  return data.list('targetData').map((target) => ({ ...targetFields(target), ...targetValues(target) }));
}

/** Identifies a target. Depending on the object, the field names have a prefix or not. */
function targetFields(target: Reader): Draft {
  return {
    id: target.id('targetId') ?? target.id('id'),
    name: target.text('targetName') ?? target.text('name'),
    groupId: target.id('targetGroupId'),
    groupName: target.text('targetGroupName'),
    periodId: target.id('targetPeriodId'),
    periodName: target.text('targetPeriodName'),
    description: target.text('description'),
  };
}

function targetValues(target: Reader): Draft {
  return {
    definedValue: target.number('definedTargetValue'),
    achievedValue: target.number('achievedTargetValue'),
  };
}

function withoutUndefined(draft: Draft): Draft {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
}

const STREAK_LISTS = [
  'streakEnrolmentData',
  'streakUnEnrolmentData',
  'streakStartData',
  'streakEndData',
  'streakData',
] as const;

/**
 * All events of streaks (docs/platforms/capillary.md#targets-and-streaks). The same fact has a
 * different name in each event; a streak is based on targets, which the event lists too.
 */
export function mapStreak({ event, data }: FamilyInput): FamilyResult {
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      streaks: STREAK_LISTS.flatMap((name) => data.list(name)).map(streakFields),
      target: targetFields(data.object('targetDetails')),
      targets: targets(data),
      transaction: { id: data.id('transactionId') },
    },
  };
}

function streakFields(streak: Reader): Draft {
  return {
    id: streak.id('streakId'),
    userStreakId: streak.id('userStreakId'),
    name: streak.text('streakName'),
    description: streak.text('descriptionOfTheStreak'),
    level: streak.scalar('streakLevelName'),
    levelCount: streak.integer('numberOfLevel'),
    levelValues: streak.scalars('levelValues'),
    achievedLevels: streak.scalars('levelsAchievedByTheUser'),
    achievedLevelCount: streak.integer('numberOfLevelsAchievedByTheUser'),
    value:
      streak.number('userCurrentStreakValue') ??
      streak.number('userStreakValueAtTheStart') ??
      streak.number('userStreakValueByTheEnd') ??
      streak.number('streakValueWhenEnrolled') ??
      streak.number('streakValueWhenUnEnrolled'),
    enrolledDate: streak.startTime('enrolledDate'),
    unenrolledDate: streak.startTime('unEnrolledDate'),
    startDate: streak.startTime('startDate'),
    endDate: streak.time('endDate'),
    levelAchievedDate: streak.startTime('streakLevelAchievedDate'),
  };
}

/** badgeEarned (docs/platforms/capillary.md#badges-and-cards). */
export function mapBadgeEarned({ data }: FamilyInput): FamilyResult {
  return {
    eventType: 'loyalty.badgeEarned',
    tenant: {
      badge: {
        id: data.id('badgeId'),
        issueId: data.id('issualId'),
        issuedDate: data.startTime('issuedOn'),
        earnedId: data.id('earnId'),
        earnedDate: data.startTime('earnedOn'),
      },
    },
  };
}

import { BADGES } from '../customer/rewards.ts';
import type { Reader } from '../reader.ts';
import {
  listedTarget,
  MAX_TASKS,
  milestoneTask,
  streakStatement,
  targetStatement,
  unifiedStatement,
} from './challenge-items.ts';
import type { FamilyInput, FamilyResult } from './family.ts';
import { itemFacts } from './item-facts.ts';

/**
 * All events of milestones, which Capillary calls targets: enrolment, periods, values, unified
 * target groups (docs/platforms/capillary.md#targets-and-streaks). An enrolment has the fields of
 * its target directly in `data`, the others have them in `targetDetails`.
 */
export function mapTarget(input: FamilyInput): FamilyResult {
  const { event, data } = input;
  const details = data.object('targetDetails');
  const unified = data.object('unifiedTargetGroupDetails');
  const condition = unified.object('unifiedTargetsAchievementCondition');
  const target = {
    ...targetFields(data),
    ...withoutUndefined(targetFields(details)),
    ...withoutUndefined(targetFields(unified)),
  };
  const values = targetValues(data);
  const listed = targets(data);
  const defaultValue = data.number('defaultTargetValue');
  const startDate = data.startTime('targetPeriodStartDate');
  const milestones = data.list('milestoneDetails').map((milestone) => ({
    id: milestone.id('id'),
    name: milestone.text('name'),
    valueType: milestone.text('valueType'),
    definedValue: milestone.number('definedValue'),
    achievedDate: milestone.startTime('achievedDate'),
  }));
  const own = event.eventName.startsWith('unified')
    ? unifiedStatement(event.eventName, target, listed)
    : targetStatement(event.eventName, target, {
        goal: values.definedValue ?? defaultValue,
        progress: values.achievedValue,
        startDate,
        tasks: milestones.slice(0, MAX_TASKS).map(milestoneTask),
      });
  return {
    eventType: `loyalty.${event.eventName}`,
    facts: itemFacts(input, [own, ...listedTargets(listed)]),
    tenant: {
      target: {
        ...target,
        ...values,
        source: data.text('source'),
        defaultValue,
        eventValue: data.number('currentEventTargetValue'),
        periodStartDate: startDate,
        cycleStartDate: data.startTime('targetCycleStartDate'),
        eventName: data.text('eventName'),
        eventId: data.id('eventId'),
        returnId: data.id('returnId'),
      },
      targets: listed,
      unifiedTarget: {
        combinationType: condition.text('combinationType'),
        aggregation: condition.text('aggregation'),
        ruleExpression: condition.text('ruleExpression'),
        thresholdValue: condition.number('thresholdValue'),
      },
      milestones,
      transaction: { id: data.id('transactionId') },
    },
  };
}

/** The targets that an event lists: those of a unified group or of a streak. */
function targets(data: Reader) {
  return data.list('targetData').map((target) => ({ ...targetFields(target), ...targetValues(target) }));
}

/** The values of targets that the event of a group or a streak lists. */
function listedTargets(listed: ReturnType<typeof targets>) {
  return listed
    .filter(({ definedValue, achievedValue }) => definedValue !== undefined || achievedValue !== undefined)
    .slice(0, MAX_TASKS)
    .map(({ definedValue, achievedValue, ...target }) =>
      listedTarget(target, { goal: definedValue, progress: achievedValue }),
    );
}

/** Identifies a target. Depending on the object, the field names have a prefix or not. */
function targetFields(target: Reader) {
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

function targetValues(target: Reader) {
  return {
    definedValue: target.number('definedTargetValue'),
    achievedValue: target.number('achievedTargetValue'),
  };
}

function withoutUndefined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
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
export function mapStreak(input: FamilyInput): FamilyResult {
  const { event, data } = input;
  const streaks = STREAK_LISTS.flatMap((name) => data.list(name)).map(streakFields);
  const target = targetFields(data.object('targetDetails'));
  const listed = targets(data);
  const series = target.groupName ?? listed[0]?.groupName;
  return {
    eventType: `loyalty.${event.eventName}`,
    tenant: {
      streaks,
      target: { ...target, eventName: data.text('eventName'), eventId: data.id('eventId') },
      targets: listed,
      transaction: { id: data.id('transactionId') },
    },
    facts: itemFacts(input, [
      ...streaks.slice(0, MAX_TASKS).map((streak) => streakStatement(event.eventName, streak, series)),
      ...listedTargets(listed),
    ]),
  };
}

function streakFields(streak: Reader) {
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
export function mapBadgeEarned(input: FamilyInput): FamilyResult {
  const { data } = input;
  const badge = {
    id: data.id('badgeId'),
    issueId: data.id('issualId'),
    issuedDate: data.startTime('issuedOn'),
    earnedId: data.id('earnId'),
    earnedDate: data.startTime('earnedOn'),
  };
  const { id, issueId, earnedId } = badge;
  const startDate = badge.earnedDate ?? badge.issuedDate;
  return {
    eventType: 'loyalty.badgeEarned',
    tenant: {
      badge: {
        ...badge,
        constraints: data.list('earnConstraints').map((constraint) => ({
          level: constraint.text('constraintLevel'),
          type: constraint.text('constraintType'),
          rollType: constraint.text('rollType'),
          rollValue: constraint.number('rollValue'),
          maxEarnLimit: constraint.number('maxEarnLimit'),
          currentEarnCount: constraint.number('currentEarnCount'),
        })),
      },
    },
    facts: itemFacts(input, [
      { group: BADGES, key: id, occurrence: 'issued', fields: { id, issueId, earnedId, startDate } },
    ]),
  };
}

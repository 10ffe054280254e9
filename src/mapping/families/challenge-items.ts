import { CHALLENGES, LEVEL_TASK } from '../customer/challenges.ts';
import type { Occurrence } from '../customer/kept-items.ts';
import type { Draft } from './family.ts';
import type { ItemStatement } from './item-facts.ts';

/** The fields of a target on the event that name it. */
export interface TargetFields {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly groupId?: string | undefined;
  readonly groupName?: string | undefined;
  readonly periodId?: string | undefined;
  readonly description?: string | undefined;
}

const TARGET_OCCURRENCES: ReadonlyMap<string, Occurrence> = new Map([
  ['targetCustomerEnrolment', 'joined'],
  ['targetCustomerUnenrolment', 'left'],
  ['targetPeriodStarted', 'started'],
  ['targetPeriodCompleted', 'over'],
  ['targetValueUpdated', 'updated'],
  ['targetAchievedValueUpdated', 'updated'],
  ['targetValueAchieved', 'achieved'],
  ['unifiedTargetsAchieved', 'achieved'],
  ['unifiedTargetsUnAchieved', 'unachieved'],
  ['streakCustomerEnrolment', 'joined'],
  ['streakCustomerUnEnrolment', 'left'],
  ['streakStart', 'started'],
  ['streakEnd', 'over'],
  ['streakLevelAchieved', 'updated'],
  ['streakLevelUnAchieved', 'updated'],
]);

function occurrenceOf(eventName: string): Occurrence {
  return TARGET_OCCURRENCES.get(eventName) ?? 'listed';
}

/** Each period of a target is a challenge of its own: a goal is reached per period. */
export function targetStatement(
  eventName: string,
  { id, name, groupId, groupName, periodId, description }: TargetFields,
  more: Draft,
): ItemStatement {
  return {
    group: CHALLENGES,
    key: id === undefined ? undefined : withPeriod(`t${id}`, periodId),
    occurrence: occurrenceOf(eventName),
    fields: { id, name, description, series: groupName ?? groupId, ...more },
  };
}

/** A target that the event of another challenge lists: its values are kept if it is known. */
export function listedTarget(target: TargetFields, values: Draft): ItemStatement {
  return { ...targetStatement('', target, values), occurrence: 'listed' };
}

/** A unified group is one challenge, whose tasks are its targets. */
export function unifiedStatement(
  eventName: string,
  { groupId, groupName }: TargetFields,
  targets: readonly (TargetFields & { readonly definedValue?: unknown; readonly achievedValue?: unknown })[],
): ItemStatement {
  const periods = new Set(targets.map(({ periodId }) => periodId));
  const [period] = periods.size === 1 ? periods : [];
  return {
    group: CHALLENGES,
    key: groupId === undefined ? undefined : withPeriod(`g${groupId}`, period),
    occurrence: occurrenceOf(eventName),
    fields: {
      id: groupId,
      name: groupName,
      tasks: targets
        .slice(0, MAX_TASKS)
        .map(({ name, definedValue, achievedValue }) =>
          stated({ name, goal: definedValue, progress: achievedValue }),
        ),
    },
  };
}

/** A milestone of a target. */
export function milestoneTask(milestone: {
  readonly name: string | undefined;
  readonly valueType: string | undefined;
  readonly definedValue: number | undefined;
  readonly achievedDate: string | undefined;
}): Draft {
  const { name, valueType, definedValue, achievedDate } = milestone;
  const state = achievedDate === undefined ? undefined : 'completed';
  return stated({ name, type: valueType, goal: definedValue, state });
}

/**
 * A streak is named by its name: the events that start and end it have no id
 * (docs/platforms/capillary.md#targets-and-streaks).
 */
export function streakStatement(
  eventName: string,
  streak: {
    readonly id: string | undefined;
    readonly userStreakId: string | undefined;
    readonly name: string | undefined;
    readonly description: string | undefined;
    readonly level: string | undefined;
    readonly levelCount: number | undefined;
    readonly levelValues: readonly string[];
    readonly achievedLevelCount: number | undefined;
    readonly value: number | undefined;
    readonly startDate: string | undefined;
    readonly endDate: string | undefined;
  },
  series: string | undefined,
): ItemStatement {
  const { name, description, level, levelCount, achievedLevelCount, startDate, endDate } = streak;
  const goals = streak.levelValues.map(Number).filter((goal) => Number.isFinite(goal));
  return {
    group: CHALLENGES,
    key: name === undefined ? undefined : `s${name}`,
    occurrence: occurrenceOf(eventName),
    fields: {
      id: streak.userStreakId ?? streak.id,
      name,
      description,
      series,
      startDate,
      endDate,
      levelCount,
      achievedLevelCount,
      progress: streak.value,
      level: eventName === 'streakLevelUnAchieved' ? undefined : level,
      tasks: goals.slice(0, MAX_TASKS).map((goal) => ({ type: LEVEL_TASK, goal })),
    },
  };
}

/** Tasks that are kept of one challenge. */
export const MAX_TASKS = 20;

function withPeriod(key: string, periodId: string | undefined): string {
  return periodId === undefined ? key : `${key}/${periodId}`;
}

function stated(fields: Draft): Draft {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

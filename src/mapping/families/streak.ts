import type { Draft, Family } from './family.ts';
import type { Reader } from '../reader.ts';
import { targetFields, targets } from './target.ts';

const LISTS = [
  'streakEnrolmentData',
  'streakUnEnrolmentData',
  'streakStartData',
  'streakEndData',
  'streakData',
] as const;

/**
 * Every event of streaks (reference: capillary.md §4.1). The same facts have another name in each event; a
 * streak builds on targets, which are told beside it.
 */
export const mapStreak: Family = ({ event, data }) => ({
  eventType: `loyalty.${event.eventName}`,
  tenant: {
    streaks: LISTS.flatMap((name) => data.list(name)).map(streakFields),
    target: targetFields(data.object('targetDetails')),
    targets: targets(data),
    transaction: { id: data.id('transactionId') },
  },
});

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
    enrolledDate: streak.time('enrolledDate'),
    unenrolledDate: streak.time('unEnrolledDate'),
    startDate: streak.time('startDate'),
    endDate: streak.time('endDate'),
    levelAchievedDate: streak.time('streakLevelAchievedDate'),
  };
}

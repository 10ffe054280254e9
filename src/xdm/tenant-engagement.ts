import { list, object } from './shape.ts';

const target = {
  id: 'string',
  name: 'string',
  groupId: 'string',
  groupName: 'string',
  periodId: 'string',
  periodName: 'string',
  description: 'string',
  definedValue: 'number',
  achievedValue: 'number',
} as const;

/**
 * What the relay writes below `<tenant>.capillary` of an ExperienceEvent for milestones, streaks, groups,
 * partner programs, cards, subscriptions, and bills that are no plain purchase.
 */
export const TENANT_ENGAGEMENT_FIELDS = {
  target: object({
    ...target,
    source: 'string',
    defaultValue: 'number',
    eventValue: 'number',
    periodStartDate: 'date-time',
    cycleStartDate: 'date-time',
  }),
  targets: list(object(target)),
  unifiedTarget: object({
    combinationType: 'string',
    aggregation: 'string',
    ruleExpression: 'string',
    thresholdValue: 'number',
  }),
  milestones: list(
    object({
      id: 'string',
      name: 'string',
      valueType: 'string',
      definedValue: 'number',
      achievedDate: 'date-time',
    }),
  ),
  streaks: list(
    object({
      id: 'string',
      userStreakId: 'string',
      name: 'string',
      description: 'string',
      level: 'string',
      levelCount: 'integer',
      levelValues: list('string'),
      achievedLevels: list('string'),
      achievedLevelCount: 'integer',
      value: 'number',
      enrolledDate: 'date-time',
      unenrolledDate: 'date-time',
      startDate: 'date-time',
      endDate: 'date-time',
      levelAchievedDate: 'date-time',
    }),
  ),
  group: object({
    id: 'string',
    name: 'string',
    type: 'string',
    pointsContributed: 'number',
    members: list(object({ customerId: 'string', role: 'string' })),
  }),
  partnerProgram: object({
    id: 'string',
    name: 'string',
    type: 'string',
    updateType: 'string',
    membershipNumber: 'string',
    tierNumber: 'integer',
    tierExpiryDate: 'date-time',
    membershipExpiryDate: 'date-time',
    scheduledExpiryDate: 'date-time',
  }),
  card: object({
    number: 'string',
    type: 'string',
    series: 'string',
    status: 'string',
    previousStatus: 'string',
    statusReason: 'string',
    previousStatusReason: 'string',
  }),
  subscriptions: list(
    object({
      channel: 'string',
      priority: 'string',
      previous: 'string',
      current: 'string',
      source: 'string',
      accountId: 'string',
      orgUnitId: 'string',
      orgUnitCode: 'string',
    }),
  ),
  rejection: object({
    type: 'string',
    retriggerId: 'string',
    attempts: 'integer',
    date: 'date-time',
    reasons: list(object({ reason: 'string', details: 'string' })),
  }),
  retroBill: object({ attachedDate: 'date-time' }),
} as const;

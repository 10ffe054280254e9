import type { Draft, Family } from './family.ts';
import type { Reader } from '../reader.ts';

/**
 * Every event of milestones, which Capillary calls targets: enrolment, periods, values, groups of targets that
 * count as one (reference: capillary.md §4.1). An enrolment tells its target beside the other fields, the rest
 * in an object of its own.
 */
export const mapTarget: Family = ({ event, data }) => {
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
        periodStartDate: data.time('targetPeriodStartDate'),
        cycleStartDate: data.time('targetCycleStartDate'),
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
        achievedDate: milestone.time('achievedDate'),
      })),
      transaction: { id: data.id('transactionId') },
    },
  };
};

/** The targets that an event lists: of a group that counts as one, or those that a streak is made of. */
export function targets(data: Reader): readonly Draft[] {
  return data.list('targetData').map((target) => ({ ...targetFields(target), ...targetValues(target) }));
}

/** Which target it is: the names of its fields have a prefix or not, depending on where it stands. */
export function targetFields(target: Reader): Draft {
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

import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { FactGroups } from './facts.ts';
import type { ItemGroup, KeptItem, Occurrence } from './kept-items.ts';
import { deriveItems, type ItemContext, type ItemList, type SetAttribute } from './rewards.ts';

/** Targets, unified groups of targets, and streaks. */
export const CHALLENGES: ItemGroup = { group: 'goal' };

/** The type of a task that is a level of a streak. */
export const LEVEL_TASK = 'level';

const LIST: ItemList = {
  ...CHALLENGES,
  path: 'loyalty.challenges',
  tenantList: 'challenges',
  fields: ['id', 'name', 'description', 'series', 'startDate', 'endDate'],
  tenantFields: [],
};

/** The challenges of a lane's customers: `loyalty.challenges`, or open ones below the tenant. */
export function deriveChallenges(
  customers: readonly FactGroups[],
  context: ItemContext,
  set: SetAttribute,
): void {
  deriveItems(LIST, customers, { stateOf: challengeState, moreFields: tasksField }, context, set);
}

type ChallengeState = 'active' | 'completed' | 'expired' | 'revoked' | 'ended';

const STATES: Readonly<Partial<Record<Occurrence, ChallengeState>>> = {
  achieved: 'completed',
  left: 'revoked',
};

/** `ended`: its time is over, and whether the customer reached the goal is not known. */
function challengeState(item: KeptItem): ChallengeState {
  if (item.isExpired) {
    return 'expired';
  }
  if (item.decidedBy === 'over') {
    return outcomeOf(item);
  }
  return (item.decidedBy && STATES[item.decidedBy]) ?? 'active';
}

/** What became of a challenge whose time is over. */
function outcomeOf({ facts, fields }: KeptItem): ChallengeState {
  const last = facts.findLast(({ name }) => name === 'achieved' || name === 'unachieved');
  if (last?.name === 'achieved') {
    return 'completed';
  }
  const { levelCount, achievedLevelCount, goal = levelCount, progress } = fields;
  const reached = fields['goal'] === undefined ? achievedLevelCount : progress;
  if (typeof goal !== 'number' || typeof reached !== 'number') {
    return 'ended';
  }
  return reached >= goal ? 'completed' : 'expired';
}

/** The words that XDM uses for a task; none for a challenge that ended in another way. */
const TASK_STATES: Readonly<Partial<Record<ChallengeState, string>>> = {
  active: 'in progress',
  completed: 'completed',
  expired: 'failed',
};

/** The levels of a streak with its value; else the goal of the challenge, and its milestones. */
function tasksField(item: KeptItem): JsonObject {
  const { name, level, goal, progress, tasks } = item.fields;
  const listed: readonly JsonValue[] = Array.isArray(tasks) ? tasks : [];
  const levels = listed.filter((task) => isJsonObject(task) && task['type'] === LEVEL_TASK);
  if (levels.length > 0) {
    return { tasks: levels.map((task) => ({ ...(isJsonObject(task) ? task : {}), ...known({ progress }) })) };
  }
  const state = TASK_STATES[challengeState(item)];
  const own =
    goal === undefined && progress === undefined
      ? []
      : [known({ name: level ?? name, goal, progress, state })];
  const all = [...own, ...listed];
  return all.length === 0 ? {} : { tasks: all };
}

function known(fields: { readonly [name: string]: JsonValue | undefined }): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
}

import type { Story } from './story.ts';

/** Path of each value in it, without the places in lists, and the value. */
const leavesOf = (value: unknown, path = ''): [path: string, value: string][] => {
  if (typeof value !== 'object' || value === null) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    leavesOf(inner, Array.isArray(value) ? `${path}[]` : `${path}.${key}`),
  );
};

/** Every attribute of the one is in the other too; places in lists do not count. */
const samePaths = (part: object, whole: object): boolean => {
  const paths = new Set(leavesOf(whole).map(([path]) => path));
  return leavesOf(part).every(([path]) => paths.has(path));
};

/** For a customer that took over others: nothing known is missing, and every value was told of one of them. */
export const isOfThese = (
  landed: Record<string, unknown>,
  own: Record<string, unknown>,
  told: readonly Record<string, unknown>[],
): boolean => {
  const known = new Set(told.flatMap((record) => leavesOf(record).map((leaf) => leaf.join(' '))));
  const { _id, ...attributes } = landed;
  return (
    _id === own['_id'] &&
    samePaths(own, landed) &&
    leavesOf(attributes).every((leaf) => known.has(leaf.join(' ')))
  );
};

/** The records of a lane and of all that were merged into it, and into those. */
export const recordsOf = (
  lane: string,
  stories: ReadonlyMap<string | undefined, Story>,
): Record<string, unknown>[] => {
  const lanes = new Set([lane]);
  for (const one of lanes) for (const from of stories.get(one)?.folded ?? []) lanes.add(from);
  return [...lanes].flatMap((one) => stories.get(one)?.records ?? []);
};

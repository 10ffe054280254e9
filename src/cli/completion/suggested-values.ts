import type { Argument, Option } from 'commander';

/** What a shell can complete for the value of an option or an argument. */
export interface SuggestedValues {
  /** Loads the values; on demand, because commands themselves do not need them. */
  readonly load: () => Promise<readonly string[]> | readonly string[];
  /** Whether several values can be given, separated by commas. */
  readonly isList?: boolean;
}

const SUGGESTED = new WeakMap<Option | Argument, SuggestedValues>();

/** Adds values for the shell's completion without restricting the option to them. */
export function suggestValues<T extends Option | Argument>(target: T, values: SuggestedValues): T {
  SUGGESTED.set(target, values);
  return target;
}

/** The suggested values, or those to which commander restricts it. */
export function suggestedValues(target: Option | Argument): SuggestedValues | undefined {
  const { argChoices } = target;
  return SUGGESTED.get(target) ?? (argChoices === undefined ? undefined : { load: () => argChoices });
}

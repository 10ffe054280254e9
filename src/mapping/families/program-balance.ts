import type { Draft, FamilyInput, FamilyResult } from './family.ts';
import {
  type Balance,
  otherProgramAttributes,
  ownProgramId,
  ownStanding,
  programName,
  programStanding,
} from './program.ts';
import type { Reader } from '../reader.ts';

type ProfileResult = Pick<FamilyResult, 'attributes' | 'tenantAttributes'>;

/** The balance after the event of the program it is about, as points events tell it (reference: capillary.md §4.6). */
export function toldBalance(data: Reader): Balance {
  return {
    programId: ownProgramId(data),
    points: data.number('programCurrentPoints'),
    lifetime: data.number('programLifetimePoints'),
  };
}

/**
 * What the balance of the event's own program changes of the profile.
 * @param more attributes besides it that only the main program has
 */
export function ownBalanceChange(
  input: FamilyInput,
  balance: Balance,
  more: () => Draft = () => ({}),
): ProfileResult {
  const standing = ownStanding(input);
  if (standing === 'other') {
    return { tenantAttributes: otherProgramAttributes([balance]) };
  }
  if (standing === 'group') {
    return {};
  }
  const { loyalty2026 } = input.context.destination.schemaFeatures;
  return {
    attributes: {
      'loyalty.points': balance.points,
      ...(loyalty2026 ? { 'loyalty.lifetimePoints': balance.lifetime } : {}),
      'loyalty.program': programName(input.data),
      ...more(),
    },
  };
}

/**
 * What the balances of several programs change of the profile.
 * @param path of the list that tells them, for the note on a group's
 */
export function programBalanceChange(
  input: FamilyInput,
  balances: readonly Balance[],
  path: string,
): ProfileResult {
  const standings = balances.map((balance) => ({
    ...balance,
    standing: programStanding(input, balance.programId),
  }));
  if (standings.some(({ standing }) => standing === 'group')) {
    input.notes.add(path, 'group-balance');
  }
  return {
    attributes: { 'loyalty.points': standings.find(({ standing }) => standing === 'main')?.points },
    tenantAttributes: otherProgramAttributes(standings.filter(({ standing }) => standing === 'other')),
  };
}

/** Among the balances of several programs that of the event's own, else the first. */
export function ownBalance(data: Reader, balances: readonly Balance[]): number | undefined {
  return (balances.find(({ programId }) => programId === ownProgramId(data)) ?? balances[0])?.points;
}

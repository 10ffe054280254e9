import { entityTypeOf } from '../../capillary/person.ts';
import type { Reader } from '../reader.ts';
import type { Draft, FamilyInput, FamilyResult } from './family.ts';

/** The balance of one loyalty program, as an event states it. */
export interface Balance {
  readonly programId: string | undefined;
  readonly points: number | undefined;
  readonly lifetime?: number | undefined;
}

/** The role of a program for the profile: decides where its balances and tiers go. */
export type ProgramRole =
  /** The program whose values are in the profile's `loyalty`. */
  | 'main'
  /** Another program of the same brand. */
  | 'other'
  /**
   * The balance belongs to a group; the event's identity is only the person who acted for it
   * (docs/platforms/capillary.md#group-entities).
   */
  | 'group';

/**
 * The main program is the configured one, else Capillary's default program. Old payloads do not
 * describe their program; then the event's own program counts as the main one.
 */
function programRole({ data, context }: FamilyInput, programId: string | undefined): ProgramRole {
  const entity = entityTypeOf(data.raw['entityInformation']);
  if (entity !== undefined && entity !== 'USER') {
    return 'group';
  }
  if (context.source.program !== undefined) {
    return programId === String(context.source.program) ? 'main' : 'other';
  }
  const details = data.object('loyaltyProgramDetails');
  const described = details.id('id') ?? data.id('loyaltyProgramId');
  const isOwn = programId === undefined || described === undefined || programId === described;
  return isOwn && details.value('isDefault') !== false ? 'main' : 'other';
}

/** `programStanding` of the event's own program, with a note if it is not the main one. */
export function ownProgramRole(input: FamilyInput): ProgramRole {
  const role = programRole(input, ownProgramId(input.data));
  if (role !== 'main') {
    input.notes.add('data.loyaltyProgramId', role === 'group' ? 'group-balance' : 'other-program');
  }
  return role;
}

/** The id of the event's program. */
export function ownProgramId(data: Reader): string | undefined {
  return data.id('loyaltyProgramId') ?? data.object('loyaltyProgramDetails').id('id');
}

/** The name of the event's program; its id as text if the payload has no name. */
export function programName(data: Reader): string | undefined {
  const details = data.object('loyaltyProgramDetails');
  const id = ownProgramId(data);
  return (details.id('id') === id ? details.text('name') : undefined) ?? id;
}

/** Attributes below `<tenant>.capillary` for the balances of other programs, one path per value. */
function otherProgramAttributes(balances: readonly Balance[]): Draft {
  const fields = balances.flatMap(({ programId, points, lifetime }) =>
    programId !== undefined && /^\w{1,64}$/.test(programId)
      ? [
          [`programs[${programId}].points`, points],
          [`programs[${programId}].lifetime`, lifetime],
        ]
      : [],
  );
  return Object.fromEntries(fields) as Draft;
}

type ProfileResult = Pick<FamilyResult, 'attributes' | 'tenantAttributes'>;

/** The balance of the event's program after the event (docs/platforms/capillary.md#points). */
export function balanceAfterEvent(data: Reader): Balance {
  return {
    programId: ownProgramId(data),
    points: data.number('programCurrentPoints'),
    lifetime: data.number('programLifetimePoints'),
  };
}

/**
 * Profile changes that follow from the balance of the event's own program.
 * @param more further attributes, which only the main program has
 */
export function ownBalanceChange(
  input: FamilyInput,
  balance: Balance,
  more: () => Draft = () => ({}),
): ProfileResult {
  const role = ownProgramRole(input);
  if (role === 'other') {
    return { tenantAttributes: otherProgramAttributes([balance]) };
  }
  if (role === 'group') {
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
 * Profile changes that follow from the balances of several programs.
 * @param path path of their list in the event, for notes
 */
export function programBalanceChange(
  input: FamilyInput,
  balances: readonly Balance[],
  path: string,
): ProfileResult {
  const withRoles = balances.map((balance) => ({
    ...balance,
    role: programRole(input, balance.programId),
  }));
  if (withRoles.some(({ role }) => role === 'group')) {
    input.notes.add(path, 'group-balance');
  }
  return {
    attributes: { 'loyalty.points': withRoles.find(({ role }) => role === 'main')?.points },
    tenantAttributes: otherProgramAttributes(withRoles.filter(({ role }) => role === 'other')),
  };
}

/** The balance of the event's own program, else the first. */
export function ownBalance(data: Reader, balances: readonly Balance[]): number | undefined {
  return (balances.find(({ programId }) => programId === ownProgramId(data)) ?? balances[0])?.points;
}

import type { JsonValue } from '../../capillary/json.ts';
import { entityTypeOf } from '../../capillary/person.ts';
import { factPath } from '../customer/facts.ts';
import { PROGRAM_FACTS } from '../customer/program-standing.ts';
import type { Reader } from '../reader.ts';
import type { Facts, FamilyInput } from './family.ts';

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
 * The main program is the configured one, else Capillary's default program, else, before an event
 * says which one that is, the first one.
 */
function programRole(input: FamilyInput, programId: string | undefined): ProgramRole {
  if (isOfGroup(input)) {
    return 'group';
  }
  const { program } = input.context.source;
  const main = program === undefined ? input.programs.mainProgram()?.id : String(program);
  return programId === main ? 'main' : 'other';
}

/** True if the event is about a group and not about the person who acted for it. */
export function isOfGroup({ data }: FamilyInput): boolean {
  const entity = entityTypeOf(data.raw['entityInformation']);
  return entity !== undefined && entity !== 'USER';
}

/** The role of the event's own program, with a note if it is not the main one. */
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

/**
 * Facts about the customer's standing in a program (`standingIn`): none if the program is unknown.
 */
export function programFacts(
  programId: string | undefined,
  facts: { readonly [name: string]: JsonValue | undefined },
): Facts {
  if (programId === undefined || !/^\w{1,64}$/.test(programId)) {
    return {};
  }
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [factPath(PROGRAM_FACTS, programId, name), value]),
  );
}

/** The balance of the event's program after the event (docs/platforms/capillary.md#points). */
export function balanceAfterEvent(data: Reader): Balance {
  return {
    programId: ownProgramId(data),
    points: data.number('programCurrentPoints'),
    lifetime: data.number('programLifetimePoints'),
  };
}

/** Facts that follow from the balance of the event's own program; none for a group's balance. */
export function ownBalanceFacts(input: FamilyInput, { programId, points, lifetime }: Balance): Facts {
  const role = ownProgramRole(input);
  return role === 'group' ? {} : programFacts(programId, { points, lifetime });
}

/**
 * Facts that follow from the balances of several programs.
 * @param path path of their list in the event, for notes
 */
export function balanceFacts(input: FamilyInput, balances: readonly Balance[], path: string): Facts {
  if (isOfGroup(input)) {
    input.notes.add(path, 'group-balance');
    return {};
  }
  return Object.assign(
    {},
    ...balances.map(({ programId, points, lifetime }) => programFacts(programId, { points, lifetime })),
  ) as Facts;
}

/** The balance of the event's own program, else the first. */
export function ownBalance(data: Reader, balances: readonly Balance[]): number | undefined {
  return (balances.find(({ programId }) => programId === ownProgramId(data)) ?? balances[0])?.points;
}

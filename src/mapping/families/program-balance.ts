import type { JsonValue } from '../../capillary/json.ts';
import { entityTypeOf } from '../../capillary/person.ts';
import { factPath } from '../customer/facts.ts';
import { PROGRAM_FACTS } from '../customer/points-history.ts';
import { POINTS_LOG, type PointsEntry, storedEntry, UNKNOWN_PROGRAM } from '../customer/points-log.ts';
import { isProgramId } from '../program-catalogue.ts';
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
  const programId = ownProgramId(input.data);
  const role = programRole(input, programId);
  if (role === 'group' || (role === 'other' && programId !== undefined)) {
    input.notes.add('data.loyaltyProgramId', role === 'group' ? 'group-balance' : 'other-program');
  }
  return role;
}

/** The id of the event's program. */
export function ownProgramId(data: Reader): string | undefined {
  return data.id('loyaltyProgramId') ?? data.object('loyaltyProgramDetails').id('id');
}

/**
 * Facts about the customer's standing in a program (`standingOf`): none if the program is unknown.
 */
export function programFacts(
  programId: string | undefined,
  facts: { readonly [name: string]: JsonValue | undefined },
): Facts {
  if (!isKnownProgram(programId)) {
    return [];
  }
  return Object.entries(facts).map(([name, value]) => [factPath(PROGRAM_FACTS, programId, name), value]);
}

function isKnownProgram(programId: string | undefined): programId is string {
  return programId !== undefined && programId !== UNKNOWN_PROGRAM && isProgramId(programId);
}

/** The balance of the event's program after the event (docs/platforms/capillary.md#points). */
export function balanceAfterEvent(data: Reader): Balance {
  return {
    programId: ownProgramId(data),
    points: data.number('programCurrentPoints'),
    lifetime: data.number('programLifetimePoints'),
  };
}

/**
 * Facts about the points of one program: the stated balance, and what the log keeps of the event.
 * The points of an event without a program belong to the customer's only one. An event that says
 * neither a program nor points says nothing.
 */
export function pointsFacts(
  input: FamilyInput,
  { programId, points, lifetime }: Balance,
  entry: PointsEntry,
): Facts {
  const stored = storedEntry({ ...entry, b: points, l: points === undefined ? undefined : lifetime });
  const isKnown = isKnownProgram(programId);
  if (!isKnown && (stored === undefined || entry.u === 1)) {
    return [];
  }
  if (!isKnown) {
    input.notes.add('data.loyaltyProgramId', 'unknown-program');
  }
  const path = factPath(PROGRAM_FACTS, isKnown ? programId : UNKNOWN_PROGRAM, [POINTS_LOG, input.eventKey]);
  return [...programFacts(programId, { points, lifetime }), [path, stored]];
}

/**
 * What an event does to the balance: it adds or takes an amount. Without an amount, or if that is
 * negative, which Capillary does not document, the change is not known, unless the event states the
 * balance.
 *
 * @param stated the balance after the event
 */
export function balanceChange(
  stated: number | undefined,
  effect: 'adds' | 'takes',
  amount: number | undefined,
): Pick<PointsEntry, 'd' | 'u'> {
  if (amount === undefined || amount < 0) {
    return stated === undefined ? { u: 1 } : {};
  }
  return { d: effect === 'adds' ? amount : 0 - amount };
}

/** Facts about the points of the event's own program; none for a group's points. */
export function ownPointsFacts(input: FamilyInput, balance: Balance, entry: PointsEntry): Facts {
  return ownProgramRole(input) === 'group' ? [] : pointsFacts(input, balance, entry);
}

/** The points of one program in an event about several. */
export interface ProgramPoints extends Balance {
  readonly entry: PointsEntry;
}

/**
 * Facts about the points of several programs.
 * @param path path of their list in the event, for notes
 */
export function listedPointsFacts(
  input: FamilyInput,
  programs: readonly ProgramPoints[],
  path: string,
): Facts {
  if (isOfGroup(input)) {
    input.notes.add(path, 'group-balance');
    return [];
  }
  const byProgram = new Map<string | undefined, ProgramPoints>();
  for (const program of programs) {
    byProgram.set(program.programId, combined(byProgram.get(program.programId), program));
  }
  return [...byProgram.values()].flatMap(({ entry, ...balance }) => pointsFacts(input, balance, entry));
}

/** Two items about the same program: the amounts add up, the last balance counts. */
function combined(before: ProgramPoints | undefined, next: ProgramPoints): ProgramPoints {
  if (before === undefined) {
    return next;
  }
  const entry: Record<string, unknown> = { ...before.entry };
  for (const [name, value] of Object.entries(next.entry)) {
    const earlier = entry[name];
    if (name === 'u' || earlier === undefined) {
      entry[name] = value ?? earlier;
    } else if (typeof value === 'number' && typeof earlier === 'number') {
      entry[name] = earlier + value;
    } else if (Array.isArray(value) && Array.isArray(earlier)) {
      entry[name] = [...(earlier as unknown[]), ...(value as unknown[])];
    }
  }
  return { ...next, points: next.points ?? before.points, entry };
}

/** The balance of the event's own program, else the first. */
export function ownBalance(data: Reader, balances: readonly Balance[]): number | undefined {
  return (balances.find(({ programId }) => programId === ownProgramId(data)) ?? balances[0])?.points;
}

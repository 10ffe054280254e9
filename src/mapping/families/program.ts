import { entityTypeOf } from '../../capillary/identifiers.ts';
import type { Draft, FamilyInput } from './family.ts';
import type { Reader } from '../reader.ts';

/** A balance that an event tells of one loyalty program. */
export interface Balance {
  readonly programId: string | undefined;
  readonly points: number | undefined;
  readonly lifetime?: number | undefined;
}

/** Where balances and tiers of an event's program go on the profile. */
export type ProgramStanding =
  /** The program that `loyalty` of the profile follows. */
  | 'main'
  /** Another program of the same brand. */
  | 'other'
  /**
   * The balance of a group; the identity of the event is only the person who acted for it (reference:
   * capillary.md §5).
   */
  | 'group';

/**
 * Decides what a program is to the profile: the configured program is the main one, else Capillary's default
 * program. Old payloads do not describe their program; an event's own program counts as the main one then.
 */
export function programStanding(
  { data, context }: FamilyInput,
  programId: string | undefined,
): ProgramStanding {
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

/** `programStanding` of the event's own program, with a note where the profile is not to change. */
export function ownStanding(input: FamilyInput): ProgramStanding {
  const standing = programStanding(input, ownProgramId(input.data));
  if (standing !== 'main') {
    input.notes.add('data.loyaltyProgramId', standing === 'group' ? 'group-balance' : 'other-program');
  }
  return standing;
}

/** The id of the program the event is about. */
export function ownProgramId(data: Reader): string | undefined {
  return data.id('loyaltyProgramId') ?? data.object('loyaltyProgramDetails').id('id');
}

/** The program's name; its id as text where the payload does not name it. */
export function programName(data: Reader): string | undefined {
  const details = data.object('loyaltyProgramDetails');
  const id = ownProgramId(data);
  return (details.id('id') === id ? details.text('name') : undefined) ?? id;
}

/** The attributes below `<tenant>.capillary` that keep the balances of other programs, one path per value. */
export function otherProgramAttributes(balances: readonly Balance[]): Draft {
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

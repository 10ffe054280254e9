import type { JsonValue } from '../../src/capillary/json.ts';
import { type Kept, type KeptBefore, keep } from '../../src/mapping/keep.ts';
import type { MappingContext, ProfileChange } from '../../src/mapping/mapped.ts';
import { contextOf, eventWith } from './mapping-rig.ts';

export const AT = 1_794_000_000_000;
export const [ANN, BOB, CAT] = ['a', 'b', 'c'].map((name) => name.repeat(64)) as [string, string, string];

interface Told {
  readonly before?: Partial<KeptBefore>;
  readonly id?: string;
  readonly eventName?: string;
  readonly context?: MappingContext;
}

export const change = (at: number, attributes: Record<string, JsonValue>): ProfileChange => ({
  at,
  attributes: new Map(Object.entries({ 'identityMap.capillaryId': ['5'], ...attributes })),
});

/** Tells a change of ANN, or does what `before` says. */
export const tell = (
  profile: ProfileChange,
  {
    before = {},
    id = `cap-${'0'.repeat(40)}`,
    eventName = 'customerUpdated',
    context = contextOf(),
  }: Told = {},
): Kept =>
  keep(
    eventWith(eventName, {}, { createdAt: profile.at }),
    { outcome: 'messages', id, event: {}, profile, erase: false, notes: [] },
    { lane: ANN, own: before.lane ?? ANN, state: undefined, victim: undefined, ...before },
    context,
  );

/** A deletion. */
export const bury = (at: number, before: Partial<KeptBefore> = {}): Kept =>
  keep(
    eventWith('customerUpdated', {}, { createdAt: at }),
    { outcome: 'messages', id: 'cap-1', event: {}, erase: true, notes: [] },
    { lane: ANN, own: before.lane ?? ANN, state: undefined, victim: undefined, ...before },
    contextOf(),
  );

export const entityOf = (kept: Kept | undefined) => kept?.profile?.entity ?? {};

export const tellAll = (changes: readonly ProfileChange[], from?: string): Kept | undefined => {
  let last: Kept | undefined;
  let state = from;
  for (const next of changes) {
    last = tell(next, { before: { state } });
    state = last.state ?? state;
  }
  return last === undefined ? undefined : { ...last, ...(state === undefined ? {} : { state }) };
};

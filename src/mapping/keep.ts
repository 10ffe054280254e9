import type { CapillaryEvent } from '../capillary/event.ts';
import { withWholeConsents } from './consent.ts';
import {
  bury,
  deletedAt,
  fold,
  partOf,
  readState,
  sweep,
  tell,
  toldIn,
  withMerged,
  writeState,
} from './customer-state.ts';
import { attributeTime } from './event-time.ts';
import type { Mapped, MappingContext } from './mapped.ts';
import { type ProfileRecord, profileRecord } from './profile.ts';

/** What was kept before an event, as `writeState` wrote it. */
export interface KeptBefore {
  /** The lane that the event is in, and that of its own customer: another one when that was merged into the lane's. */
  readonly lane: string;
  readonly own: string;
  /** Of the lane. */
  readonly state: string | undefined;
  /** Of the customer whom the event dissolves: the one of `victimLaneOf`. */
  readonly victim: { readonly lane: string; readonly state: string | undefined } | undefined;
}

/** What an event changes in what is kept of its customer. */
export interface Kept {
  /** The customer was deleted after this event, which is not to go on: there is nothing to send but `profile`. */
  readonly isLate: boolean;
  /** What is to be kept of the lane; undefined: as before. */
  readonly state?: string;
  /** The record that is to be sent. */
  readonly profile?: ProfileRecord;
  /** Lanes of which all that is stored is to be erased. */
  readonly erase: readonly string[];
  /** The first is another name of the second from now on; nothing is kept of the first any more. */
  readonly merged?: { readonly from: string; readonly into: string };
}

/** Digits of an `_id` that tell two events of the same ms apart. */
const BY = { from: 'cap-'.length, to: 'cap-'.length + 12 };

/**
 * What an event does to what is kept of its customer. Values go by event time, then by `_id`, for each attribute; a deletion ends all that is
 * not newer; a merge puts the one customer beside the other. So the order in which events are accepted does not matter.
 */
export function keep(
  event: CapillaryEvent,
  mapped: Mapped,
  before: KeptBefore,
  context: MappingContext,
): Kept {
  const { lane, own } = before;
  const at = attributeTime(event, context);
  const state = readState(before.state);
  if (mapped.erase) {
    bury(partOf(state, lane, own), at);
  }
  const end = deletedAt(state, lane, own);
  const isLate = !mapped.erase && end !== undefined && at <= end;
  // Only where a deletion has its say is it compared with what is left.
  const toldBefore = mapped.erase || isLate ? toldIn(state) : undefined;
  const told = mapped.outcome === 'messages' && !isLate ? mapped : undefined;
  const by = told?.id.slice(BY.from, BY.to) ?? '';
  if (told?.profile !== undefined) {
    const { at: toldAt, attributes } = told.profile;
    for (const [path, value] of withWholeConsents(attributes)) {
      tell(partOf(state, lane, own), path, { value, at: toldAt, by });
    }
  }
  const victim = mapped.outcome === 'messages' && before.victim?.lane !== lane ? before.victim : undefined;
  if (victim !== undefined) {
    fold(state, lane, { from: victim.lane, into: own, state: readState(victim.state) });
  }
  sweep(state, lane);
  const written = writeState(state);
  // Of what a deletion leaves there is a record where that is something, and not what was known before.
  const left = toldBefore === undefined ? undefined : toldIn(state);
  const isLeft = left !== undefined && left !== '[]' && left !== toldBefore;
  const isShown = told?.profile !== undefined || isLeft;
  const dissolved = victim === undefined ? [] : withMerged(state, lane, victim.lane);
  return {
    isLate,
    // An erasure takes what was kept before with it.
    ...(written === (before.state ?? '{}') && !mapped.erase ? {} : { state: written }),
    ...(mapped.outcome === 'messages' && isShown && hasProfiles(context)
      ? { profile: profileRecord(state, { id: mapped.id, destination: context.destination }) }
      : {}),
    erase: [...(mapped.erase ? withMerged(state, lane, own) : []), ...(isLate ? dissolved : [])],
    ...(victim === undefined ? {} : { merged: { from: victim.lane, into: own } }),
  };
}

function hasProfiles({ destination: { format, profile } }: MappingContext): boolean {
  return format === 'xdm' && profile?.write === 'assemble';
}

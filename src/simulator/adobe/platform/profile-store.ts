import type { JsonObject } from '../../../capillary/json.ts';
import type { LandedRecord } from '../landed-store.ts';
import { createProfileView, type ProfileFragment } from '../profile-view.ts';
import { identitiesOf, type Identity, identityKey } from '../record-identity.ts';

/** An event of a person, as the Profile store has it. */
export type ProfileEvent = LandedRecord & { readonly time: number };

/** A person: everything that the identities of one graph have. */
export interface StoredPerson {
  /** All identities of the graph. */
  readonly identities: readonly Identity[];
  /** The oldest change first. */
  readonly fragments: readonly ProfileFragment[];
  readonly events: readonly ProfileEvent[];
}

/** The Profile store and the identity graph of one sandbox. */
export interface ProfileStore {
  /**
   * A record that has reached Profile.
   * @param linksIdentities whether its identities become one graph; else only its person is known
   */
  add(record: LandedRecord, linksIdentities?: boolean): void;
  /** The person that has this identity, whichever it is. */
  find(identity: Identity): StoredPerson | undefined;
}

function timeOf({ timestamp }: JsonObject): number {
  return typeof timestamp === 'string' ? Date.parse(timestamp) : 0;
}

/** Identities that a person has on average; beyond them the oldest identities are forgotten. */
const IDENTITIES_PER_PERSON = 4;

/** @param max number of people and of events to keep, the newest ones */
export function createProfileStore(max: number): ProfileStore {
  const view = createProfileView(max);
  /** The graph of each identity; linked identities share one. */
  const graphs = new Map<string, Map<string, Identity>>();
  /** By the primary identity and the id of the event; the oldest first. */
  const events = new Map<string, { readonly person: string; readonly event: ProfileEvent }>();
  /** The keys of the events of an identity. */
  const eventKeys = new Map<string, Set<string>>();

  /** Identities in one record are of one person. */
  const link = (identities: readonly Identity[]): void => {
    const joined = new Map<string, Identity>();
    for (const { namespace, id } of identities) {
      const key = identityKey({ namespace, id });
      joined.set(key, { namespace, id });
      for (const [other, identity] of graphs.get(key) ?? []) joined.set(other, identity);
    }
    for (const key of joined.keys()) {
      graphs.delete(key);
      graphs.set(key, joined);
    }
    for (const key of graphs.keys()) {
      if (graphs.size <= max * IDENTITIES_PER_PERSON) break;
      graphs.delete(key);
    }
  };

  /** An event whose `_id` Profile has is ignored (docs/platforms/adobe.md#event-ids). */
  const addEvent = (person: string, record: LandedRecord): void => {
    const key = `${person} ${record.id ?? record.seq}`;
    if (events.has(key)) return;
    events.set(key, { person, event: { ...record, time: timeOf(record.entity) } });
    eventKeys.set(person, (eventKeys.get(person) ?? new Set()).add(key));
    const [oldest] = events;
    if (events.size <= max || oldest === undefined) return;
    events.delete(oldest[0]);
    const keys = eventKeys.get(oldest[1].person);
    keys?.delete(oldest[0]);
    if (keys?.size === 0) eventKeys.delete(oldest[1].person);
  };

  const eventsOf = (identity: Identity): ProfileEvent[] =>
    [...(eventKeys.get(identityKey(identity)) ?? [])].flatMap((key) => events.get(key)?.event ?? []);

  return {
    add: (record, linksIdentities = true) => {
      const { identity, kind, entity } = record;
      if (!identity) return;
      link(linksIdentities ? [identity, ...identitiesOf(entity)] : [identity]);
      if (kind === 'event') addEvent(identityKey(identity), record);
      else view.add({ ...record, dropped: [] });
    },
    find: (identity) => {
      const graph = graphs.get(identityKey(identity));
      if (!graph) return undefined;
      const identities = [...graph.values()];
      const fragments = identities.flatMap((one) => view.get(one)?.fragments ?? []);
      return {
        identities,
        fragments: fragments.toSorted((a, b) => a.at - b.at),
        events: identities.flatMap(eventsOf),
      };
    },
  };
}

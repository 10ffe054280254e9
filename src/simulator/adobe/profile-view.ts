import type { JsonObject } from '../../capillary/json.ts';
import { type Identity, identityKey } from './record-identity.ts';
import type { LandedRecord } from './landed-store.ts';
import { patched } from './opened-request.ts';

/** What one dataset holds of one person: the last record, whole, with what was merged since. */
export interface ProfileFragment {
  readonly datasetId: string;
  readonly entity: JsonObject;
  readonly at: number;
  /** Records and merges that made this fragment, counted. */
  readonly writes: number;
}

/** One person as the Profile store shows it. */
export interface ProfileRecord {
  readonly identity: Identity;
  readonly fragments: readonly ProfileFragment[];
  /** Different events of the person. */
  readonly events: number;
}

/** The Profile store: dropped records never reach it. */
export interface ProfileView {
  add(record: LandedRecord): void;
  get(identity: Identity): ProfileRecord | undefined;
  list(limit: number): ProfileRecord[];
  clear(): void;
}

interface Person {
  readonly identity: Identity;
  readonly fragments: Map<string, ProfileFragment>;
  events: number;
}

function show({ identity, fragments, events }: Person): ProfileRecord {
  return {
    identity,
    fragments: [...fragments.values()],
    events,
  };
}

/**
 * A record replaces the whole fragment of its primary identity and dataset (reference: adobe.md §4.3); an event whose `_id` is known
 * is ignored (§4.1). A raw payload is put into the fragment or takes it away, as its operation says; without one it is none of the
 * profile's that is known here. Keeps the `max` people seen last.
 */
export function createProfileView(max: number): ProfileView {
  const people = new Map<string, Person>();

  const personOf = (identity: Identity): Person => {
    const key = identityKey(identity);
    const person = people.get(key) ?? { identity, fragments: new Map(), events: 0 };
    people.delete(key);
    people.set(key, person);
    const [oldest] = people.keys();
    if (people.size > max && oldest !== undefined) people.delete(oldest);
    return person;
  };

  return {
    add: ({ identity, kind, operation, datasetId, dropped, entity, at, duplicates }) => {
      if (!identity || !datasetId || dropped.length > 0) return;
      const person = personOf(identity);
      if (kind === 'event') person.events += duplicates === 0 ? 1 : 0;
      else if (operation === 'delete') person.fragments.delete(datasetId);
      else {
        const before = person.fragments.get(datasetId);
        const whole = operation === 'merge' ? patched(before?.entity ?? {}, entity) : entity;
        person.fragments.set(datasetId, { datasetId, entity: whole, at, writes: (before?.writes ?? 0) + 1 });
      }
    },
    get: (identity) => {
      const person = people.get(identityKey(identity));
      return person && show(person);
    },
    list: (limit) => [...people.values()].slice(-limit).map(show),
    clear: () => people.clear(),
  };
}

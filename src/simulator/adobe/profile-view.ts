import { isJsonObject, type JsonObject } from '../../capillary/json.ts';
import type { LandedRecord } from './landed-store.ts';
import { type Identity, identityKey } from './record-identity.ts';

/** The data of one person in one dataset: the last complete record, with later merges. */
export interface ProfileFragment {
  readonly datasetId: string;
  readonly entity: JsonObject;
  readonly at: number;
  /** Number of records and merges that have written this fragment. */
  readonly writes: number;
}

/** One person as the Profile store shows it. */
export interface ProfileRecord {
  readonly identity: Identity;
  readonly fragments: readonly ProfileFragment[];
  /** Number of distinct events. */
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

function toRecord({ identity, fragments, events }: Person): ProfileRecord {
  return {
    identity,
    fragments: [...fragments.values()],
    events,
  };
}

/** A record with the fields of another one: objects field by field; other values are replaced. */
export function mergedFields(fragment: JsonObject, patch: JsonObject): JsonObject {
  const fields = new Map(Object.entries(fragment));
  for (const [name, value] of Object.entries(patch)) {
    const before = fields.get(name);
    fields.set(name, isJsonObject(value) && isJsonObject(before) ? mergedFields(before, value) : value);
  }
  return Object.fromEntries(fields);
}

/**
 * A record replaces the whole fragment of its primary identity and dataset
 * (docs/platforms/adobe.md#whole-fragment). An event with a known `_id` is ignored
 * (docs/platforms/adobe.md#event-ids). A raw payload with an operation creates, patches or deletes
 * the fragment; one without an operation is ignored, since only the mapping set knows its person.
 *
 * @param max number of people to keep, the most recently written ones
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
        const written = operation === 'merge' ? mergedFields(before?.entity ?? {}, entity) : entity;
        person.fragments.set(datasetId, {
          datasetId,
          entity: written,
          at,
          writes: (before?.writes ?? 0) + 1,
        });
      }
    },
    get: (identity) => {
      const person = people.get(identityKey(identity));
      return person && toRecord(person);
    },
    list: (limit) => [...people.values()].slice(-limit).map(toRecord),
    clear: () => people.clear(),
  };
}

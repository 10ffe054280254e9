import { isJsonObject, type JsonObject } from './json.ts';

/**
 * Where a group event names its members, the one that it is about before the others: a primary member may
 * stand beside each (reference: capillary.md §4.1, Groups).
 */
export const GROUP_MEMBERS = ['memberAdded', 'memberRemoved', 'contributingMember', 'primaryMember'] as const;

/** The identifiers of a person, and where they stand in `data`; without a place when they are a card number alone. */
export interface Person {
  readonly identifiers: JsonObject;
  readonly path?: string;
}

/**
 * The member that a group event is about. Without identifiers when the event says nothing of that member, so
 * that no other member takes the place; undefined for every other event.
 */
export function groupMemberOf(data: JsonObject): Person | undefined {
  const field = GROUP_MEMBERS.find((name) => Object.hasOwn(data, name));
  if (field === undefined) {
    return undefined;
  }
  const member = data[field];
  const identifiers = isJsonObject(member) ? member['customerIdentifiers'] : undefined;
  return { path: `${field}.customerIdentifiers`, identifiers: isJsonObject(identifiers) ? identifiers : {} };
}

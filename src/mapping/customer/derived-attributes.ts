import type { Notes } from '../mapping-notes.ts';
import type { AttributeVersion, CustomerState } from './customer-state.ts';
import type { FactsByCustomer } from './facts.ts';
import { deriveProgramAttributes } from './program-attributes.ts';
import type { DerivedAttributes, RecordContext } from './record-context.ts';

export type { FactsByCustomer } from './facts.ts';
export type { DerivedAttributes, RecordContext } from './record-context.ts';

/**
 * The attributes that are computed from the facts of a lane's customers. Each has the version of
 * the newest fact that it is based on. A value that is not known to be true is left out; null: an
 * earlier value is no longer known to be true.
 *
 * @param stored the attributes that are stored as such
 */
export function deriveAttributes(
  facts: FactsByCustomer,
  context: RecordContext,
  notes: Notes,
  stored: ReadonlyMap<string, AttributeVersion> = new Map(),
): ReadonlyMap<string, AttributeVersion> {
  const attributes = new Map<string, AttributeVersion>();
  const derived: DerivedAttributes = {
    attributes,
    set(path, dated) {
      if (dated !== undefined) {
        attributes.set(path, { value: dated.value, at: dated.at, by: dated.by });
      }
    },
  };
  deriveProgramAttributes(facts, { ...context, stored, notes }, derived);
  return attributes;
}

/** The customers of a lane, the one with the newest value first after its own. */
export function customersInOrder({
  own,
  merged,
}: CustomerState): readonly ReadonlyMap<string, AttributeVersion>[] {
  const fragments = [...merged].map(([lane, { attributes }]) => ({
    lane,
    attributes,
    newest: Math.max(...[...attributes.values()].map(({ at }) => at)),
  }));
  const inOrder = fragments.toSorted((a, b) => b.newest - a.newest || (a.lane < b.lane ? -1 : 1));
  return [own.attributes, ...inOrder.map(({ attributes }) => attributes)];
}

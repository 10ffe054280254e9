import { isEmpty, type JsonValue } from '../../capillary/json.ts';
import { factPath } from '../customer/facts.ts';
import type { ItemGroup, Occurrence } from '../customer/kept-items.ts';
import type { Draft, Facts, FamilyInput } from './family.ts';

/** What an event says of a coupon, a gift, a badge or a challenge. */
export interface ItemStatement {
  readonly group: ItemGroup;
  /** Undefined if the event does not name the item: then nothing is kept. */
  readonly key: string | undefined;
  readonly occurrence: Occurrence;
  /** Fields of the item in the record; those without a value are not stated. */
  readonly fields: Draft;
}

/** The facts of items; none if the destination has no fields for them. */
export function itemFacts(
  { context: { destination } }: Pick<FamilyInput, 'context'>,
  statements: readonly ItemStatement[],
): Facts {
  if (!destination.schemaFeatures.loyalty2026 && destination.tenant === undefined) {
    return [];
  }
  return statements.flatMap(({ group, key, occurrence, fields }) =>
    key === undefined ? [] : [[factPath(group.group, key, occurrence), withoutEmpty(fields)] as const],
  );
}

function withoutEmpty(fields: Draft): JsonValue {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value))) as {
    [name: string]: JsonValue;
  };
}

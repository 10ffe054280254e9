import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import type { ProfileSnapshot } from '../mapping-result.ts';
import { SNAPSHOT_BY } from '../snapshot/snapshot-version.ts';
import { type CustomerState, fragmentOf, setAttribute } from './customer-state.ts';
import type { ProfileRecord } from './profile-record.ts';
import { isTierSnapshot } from './tier-snapshot.ts';

/**
 * Applies what Capillary's API says to the customer whom it concerns. It is newer than every event
 * before the fetch and older than every one after it, so the order in which they are applied does
 * not matter.
 *
 * @param lanes of the state and of the event's own customer: a snapshot of another is left out
 * @returns `news`: it is the first one of the customer, or states another tier, or names that were
 *   not known before; `same`: whether it changes anything only the record shows
 */
export function applySnapshot(
  state: CustomerState,
  { at, attributes, lane }: ProfileSnapshot,
  lanes: { readonly lane: string; readonly ownLane: string },
): 'none' | 'news' | 'same' {
  if (lane !== lanes.lane && lane !== lanes.ownLane) {
    return 'none';
  }
  const fragment = fragmentOf(state, lanes.lane, lane);
  let isNews = ![...fragment.attributes.values()].some(({ by }) => by === SNAPSHOT_BY);
  for (const [path, value] of attributes) {
    const earlier = isTierSnapshot(path) ? JSON.stringify(fragment.attributes.get(path)?.value) : undefined;
    setAttribute(fragment, path, { value, at, by: SNAPSHOT_BY });
    isNews ||= isTierSnapshot(path) && JSON.stringify(fragment.attributes.get(path)?.value) !== earlier;
  }
  return isNews ? 'news' : 'same';
}

/** Fields of a record that a new snapshot changes even if the customer has not changed. */
const VOLATILE: readonly string[] = ['_id', 'extSourceSystemAudit'];

/** True if two records say the same about the customer: only times of fetches differ. */
export function isSameProfile(a: ProfileRecord, b: ProfileRecord | undefined): boolean {
  return b !== undefined && lastingText(a.entity) === lastingText(b.entity);
}

function lastingText(record: JsonObject): string {
  const fields = Object.entries(record)
    .filter(([name]) => !VOLATILE.includes(name))
    .map(([name, value]) => [name, name === 'consents' ? withoutTimes(value) : value] as const);
  return JSON.stringify(Object.fromEntries(fields));
}

/** The time of a consent can be that of the fetch. */
function withoutTimes(value: JsonValue): JsonValue {
  return isJsonObject(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([name, inner]) => name !== 'time' || isJsonObject(inner))
          .map(([name, inner]) => [name, withoutTimes(inner)] as const),
      )
    : value;
}

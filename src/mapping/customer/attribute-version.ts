import type { JsonValue } from '../../capillary/json.ts';

/** The latest value of a profile attribute or of a fact (`facts.ts`). */
export interface AttributeVersion {
  /** null: the event cleared it. */
  readonly value: JsonValue;
  /** Epoch ms of the event that set it. */
  readonly at: number;
  /**
   * The first digits of that event's `_id`: of two events of the same millisecond the greater one
   * wins. Empty in state that was stored by an older relay.
   */
  readonly by: string;
}

/** True if `a` is newer than `b` or was set by the same event. */
export function isNewer(
  a: Pick<AttributeVersion, 'at' | 'by'>,
  b: Pick<AttributeVersion, 'at' | 'by'>,
): boolean {
  return a.at > b.at || (a.at === b.at && a.by >= b.by);
}

/** Path → version of what is stored of one customer. */
export type Attributes = Map<string, AttributeVersion>;
export type ReadonlyAttributes = ReadonlyMap<string, AttributeVersion>;

/** The order of entries by their keys. */
export function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** Sets a version unless there is a newer one of its path. Returns the one that it replaces. */
export function setNewest(
  attributes: Attributes,
  path: string,
  version: AttributeVersion,
): AttributeVersion | undefined {
  const current = attributes.get(path);
  if (current !== undefined && !isNewer(version, current)) {
    return version;
  }
  attributes.set(path, version);
  return current;
}

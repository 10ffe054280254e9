import type { JsonValue } from '../../capillary/json.ts';
import { createNotes } from '../mapping-notes.ts';
import type { AttributeVersion } from './customer-state.ts';
import { deriveAttributes, type RecordContext } from './derived-attributes.ts';
import { factsIn, isFact } from './facts.ts';

/**
 * The attributes that a change alone sets, as an override sees them: with those computed from its
 * facts, but without its identities.
 */
export function attributesOfChange(
  change: ReadonlyMap<string, JsonValue>,
  context: RecordContext,
): ReadonlyMap<string, JsonValue> {
  const versions = new Map<string, AttributeVersion>();
  for (const [path, value] of change) {
    versions.set(path, { value, at: 0, by: '' });
  }
  const attributes = new Map<string, JsonValue>();
  for (const [path, { value }] of [
    ...deriveAttributes([factsIn(versions)], context, createNotes()),
    ...versions,
  ]) {
    if (!isFact(path) && value !== null) {
      attributes.set(path, value);
    }
  }
  return attributes;
}

/** The facts of an event from which an attribute of the record is computed. */
const FACTS_OF: readonly (readonly [attribute: string, facts: RegExp])[] = [
  ['loyalty.joinDate', /^@joined\[/],
  ['loyalty.points', /^@p\[[^\]]*\]\.points$/],
  ['loyalty.lifetimePoints', /^@p\[[^\]]*\]\.lifetime$/],
  ['loyalty.promisedPoints', /^@p\[[^\]]*\]\.promised$/],
  ['loyalty.tier', /^@p\[[^\]]*\]\.tier$/],
  ['loyalty.tierExpiryDate', /^@p\[[^\]]*\]\.tierExpiry$/],
  ['loyalty.tierUpgradeDate', /^@p\[[^\]]*\]\.upgraded$/],
  ['loyalty.upgradeDate', /^@p\[[^\]]*\]\.upgraded$/],
];

/** A change without the attributes below these paths and the facts that they are computed from. */
export function withoutAttributes(
  change: ReadonlyMap<string, JsonValue>,
  removed: readonly string[],
): ReadonlyMap<string, JsonValue> {
  const isBelow = (path: string): boolean =>
    removed.some((start) => path === start || path.startsWith(`${start}.`));
  const facts = FACTS_OF.filter(([attribute]) => isBelow(attribute)).map(([, pattern]) => pattern);
  return new Map(
    [...change].filter(([path]) => !isBelow(path) && !facts.some((pattern) => pattern.test(path))),
  );
}

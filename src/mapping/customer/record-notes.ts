import { isJsonObject, type JsonValue } from '../../capillary/json.ts';
import type { MappingNote } from '../mapping-result.ts';

/** Notes about what is not known of a customer's points: they concern events about points only. */
const POINTS_CODES: ReadonlySet<string> = new Set([
  'balance-unknown',
  'unknown-name',
  'default-program-unknown',
]);
/** Concerns events that say when points expire. */
const LOTS_CODE = 'lots-unknown';

/**
 * The notes of a record that concern the event that changes it. What a record leaves out because
 * the relay does not know it is left out of each later record too, and is said with the events
 * that have something to do with it.
 *
 * @param change attributes and facts of the event
 */
export function notesAbout(
  change: ReadonlyMap<string, JsonValue>,
  notes: readonly MappingNote[],
): readonly MappingNote[] {
  if (!notes.some(({ code }) => code === LOTS_CODE || POINTS_CODES.has(code))) {
    return notes;
  }
  const programFacts = [...change].filter(([path]) => path.startsWith('@p['));
  const hasLots = programFacts.some(([, value]) => isAboutLots(value));
  return notes.filter(({ code }) =>
    code === LOTS_CODE ? hasLots : !POINTS_CODES.has(code) || programFacts.length > 0,
  );
}

/**
 * The notes of a record without those about its identityMap that the event has as well: most
 * identities of the record are those of the event.
 */
export function withoutRepeated(
  notes: readonly MappingNote[],
  ofEvent: readonly MappingNote[],
): readonly MappingNote[] {
  return notes.filter(
    ({ path, code }) =>
      !path.startsWith('identityMap') || !ofEvent.some((other) => other.path === path && other.code === code),
  );
}

/** Issued, reminded or moved points in an entry of the points log (`PointsEntry`). */
function isAboutLots(value: JsonValue): boolean {
  return isJsonObject(value) && ['i', 'r', 'm'].some((name) => Object.hasOwn(value, name));
}

import { type AttributeVersion, type CustomerState } from './customer-state.ts';
import { JOINED_FACTS, PROGRAM_FACTS } from './points-history.ts';
import { byTime, MAX_LOG_ENTRIES, POINTS_LOG } from './points-log.ts';

/** Registrations that are kept: the oldest ones decide. */
const MAX_JOINED = 4;

type Attributes = Map<string, AttributeVersion>;

/**
 * Removes facts that no longer matter, so that a state is bounded. Each rule depends on the facts
 * alone, and what it removes it would remove again: so the order of events does not matter.
 */
export function pruneFacts({ own, merged }: CustomerState): void {
  for (const { attributes } of [own, ...merged.values()]) {
    pruneLogs(attributes);
    pruneJoined(attributes);
  }
}

const LOG_PREFIX = `@${PROGRAM_FACTS}[`;
const LOG_NAME = `].${POINTS_LOG}[`;

/** Keeps the newest events of each program's log. */
function pruneLogs(attributes: Attributes): void {
  if (attributes.size <= MAX_LOG_ENTRIES) {
    return;
  }
  const logs = new Map<string, string[]>();
  for (const path of attributes.keys()) {
    const end = path.startsWith(LOG_PREFIX) ? path.indexOf(LOG_NAME) : -1;
    if (end !== -1) {
      const program = path.slice(0, end);
      logs.set(program, [...(logs.get(program) ?? []), path]);
    }
  }
  for (const paths of logs.values()) {
    keepNewest(attributes, paths, MAX_LOG_ENTRIES);
  }
}

function pruneJoined(attributes: Attributes): void {
  const paths = [...attributes.keys()].filter((path) => path.startsWith(`@${JOINED_FACTS}[`));
  const byAge = paths.toSorted((a, b) => byTime(versionOf(attributes, a), versionOf(attributes, b)));
  for (const path of byAge.slice(MAX_JOINED)) {
    attributes.delete(path);
  }
}

function keepNewest(attributes: Attributes, paths: readonly string[], count: number): void {
  const byAge = paths.toSorted((a, b) => byTime(versionOf(attributes, b), versionOf(attributes, a)));
  for (const path of byAge.slice(count)) {
    attributes.delete(path);
  }
}

const NONE = { at: 0, by: '' };

function versionOf(attributes: Attributes, path: string): Pick<AttributeVersion, 'at' | 'by'> {
  return attributes.get(path) ?? NONE;
}

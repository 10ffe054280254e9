import type { AttributeVersion } from './customer-state.ts';
import { BALANCE_SNAPSHOT, SNAPSHOT } from './logged-snapshots.ts';
import { PROGRAM_FACTS } from './points-history.ts';
import { byTime, MAX_LOG_ENTRIES, POINTS_LOG } from './points-log.ts';

const LOG_PREFIX = `@${PROGRAM_FACTS}[`;
const LOG_NAME = `].${POINTS_LOG}[`;
const SNAPSHOT_END = `].${SNAPSHOT}`;
const NONE = { at: 0, by: '' };

/**
 * Keeps the newest events of each program's log, and none that is older than a snapshot of the
 * program with all lots.
 */
export function prunePointsLogs(attributes: Map<string, AttributeVersion>): void {
  for (const [path, snapshot] of attributes) {
    if (path.endsWith(SNAPSHOT_END)) {
      pruneBefore(attributes, path.slice(0, 1 - SNAPSHOT_END.length), snapshot);
    }
  }
  if (attributes.size <= MAX_LOG_ENTRIES) {
    return;
  }
  const logs = new Map<string, string[]>();
  for (const path of attributes.keys()) {
    const end = path.startsWith(LOG_PREFIX) ? path.indexOf(LOG_NAME) : -1;
    if (end !== -1) {
      const program = path.slice(0, end);
      const paths = logs.get(program) ?? [];
      paths.push(path);
      logs.set(program, paths);
    }
  }
  for (const paths of logs.values()) {
    const versionOf = (path: string): Pick<AttributeVersion, 'at' | 'by'> => attributes.get(path) ?? NONE;
    const newestFirst = paths.toSorted((a, b) => byTime(versionOf(b), versionOf(a)));
    for (const path of newestFirst.slice(MAX_LOG_ENTRIES)) {
      attributes.delete(path);
    }
  }
}

/** Events without a program stay: they can belong to another one. */
function pruneBefore(
  attributes: Map<string, AttributeVersion>,
  program: string,
  snapshot: AttributeVersion,
): void {
  const [log, balance] = [`${program}.${POINTS_LOG}[`, `${program}.${BALANCE_SNAPSHOT}`];
  for (const [path, version] of attributes) {
    if ((path.startsWith(log) || path === balance) && byTime(version, snapshot) < 0) {
      attributes.delete(path);
    }
  }
}

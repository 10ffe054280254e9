import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';

/*
 * Whether Profile has what was sent. Profile writes some values in another way than they were sent,
 * and merges the identities of all records of a person: neither is a difference.
 */

/** Members of a record that are not attributes of the customer. */
const NOT_COMPARED = new Set(['_id', 'identityMap', 'extSourceSystemAudit', '_repo', 'timestamp']);

const DATE_TIME = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:?\d{2}))?$/;

/** The same text for values that mean the same. */
function canonical(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonical).toSorted().join(',')}]`;
  if (isJsonObject(value)) {
    const members = Object.entries(value).flatMap(([name, inner]) =>
      inner === null ? [] : [`${JSON.stringify(name)}:${canonical(inner)}`],
    );
    return `{${members.toSorted().join(',')}}`;
  }
  if (typeof value === 'string' && DATE_TIME.test(value)) {
    const time = Date.parse(value);
    return Number.isNaN(time) ? JSON.stringify(value) : `time ${time}`;
  }
  return JSON.stringify(value);
}

function collect(sent: JsonValue, stored: JsonValue | undefined, path: string, found: string[]): void {
  if (isJsonObject(sent)) {
    const other = isJsonObject(stored) ? stored : {};
    for (const [name, value] of Object.entries(sent)) collect(value, other[name], `${path}.${name}`, found);
    return;
  }
  if (sent === null) return;
  if (stored === undefined || canonical(sent) !== canonical(stored)) found.push(path);
}

/**
 * The paths of the attributes that Profile does not have as they were sent, in the order of the
 * record. What Profile has beyond them, from other datasets, is no difference.
 */
export function differingPaths(sent: JsonObject, stored: JsonObject): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(sent)) {
    if (!NOT_COMPARED.has(name)) collect(value, stored[name], name, found);
  }
  return found;
}

const MAX_PATHS = 10;

/** The paths for people; keys that the brand chose, such as those of maps, are no values. */
export function pathsText(paths: readonly string[]): string {
  const more = paths.length - MAX_PATHS;
  return paths.slice(0, MAX_PATHS).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

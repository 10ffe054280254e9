import type { JsonObject, JsonValue } from '../../../capillary/json.ts';
import { badRequest, type Checked, refuse } from './registry-errors.ts';

/** The registry returns no more than this at once (docs/platforms/adobe.md#reading-schemas). */
const MAX_RESULTS = 300;

/** One page of a list of resources. */
export interface Page<T> {
  readonly items: readonly T[];
  /** `start` of the next page; null on the last one. */
  readonly next: string | null;
  readonly orderby: string;
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function hasValue(value: JsonValue | undefined, wanted: string): boolean {
  return Array.isArray(value) ? value.some((item) => textOf(item) === wanted) : textOf(value) === wanted;
}

const COMPARE: Readonly<Record<string, (value: JsonValue | undefined, wanted: string) => boolean>> = {
  '==': hasValue,
  '!=': (value, wanted) => !hasValue(value, wanted),
  '<=': (value, wanted) => Number(textOf(value)) <= Number(wanted),
  '>=': (value, wanted) => Number(textOf(value)) >= Number(wanted),
  '<': (value, wanted) => Number(textOf(value)) < Number(wanted),
  '>': (value, wanted) => Number(textOf(value)) > Number(wanted),
};

/** `title==A` and its like; a name alone asks for its presence. */
function matchesProperty(view: JsonObject, filter: string): boolean {
  const [, name = '', operator = '', wanted = ''] =
    /^([^=!<>]+)(?:(==|!=|<=|>=|<|>)(.*))?$/s.exec(filter) ?? [];
  const compare = COMPARE[operator];
  return compare === undefined ? view[name] !== undefined : compare(view[name], wanted);
}

function compareTexts(first: string, second: string): number {
  return first < second ? -1 : Number(first > second);
}

/**
 * Filters by `property`, sorts by `orderby` and takes the page that begins after `start`. Without
 * `orderby`, neither `limit` nor `start` is allowed, and `start` is a value of the sorted property,
 * not a position (docs/platforms/adobe.md#reading-schemas).
 *
 * @param viewOf the item with the properties that can be filtered and sorted by
 */
export function pageOf<T>(
  all: readonly T[],
  viewOf: (item: T) => JsonObject,
  query: URLSearchParams,
): Checked<Page<T>> {
  const order = query.get('orderby');
  const limitText = query.get('limit');
  const start = query.get('start');
  if (order === null && (limitText ?? start) !== null) {
    return refuse(badRequest('start and limit need orderby.'));
  }
  const limit = limitText === null ? MAX_RESULTS : Number(limitText);
  if (!Number.isInteger(limit) || limit < 0 || limit > 500) {
    return refuse(badRequest('limit must be between 0 and 500.'));
  }
  const [orderby = 'updated'] = (order ?? 'updated').split(',');
  const direction = orderby.startsWith('-') ? -1 : 1;
  const keyOf = (item: T): string => textOf(viewOf(item)[orderby.replace(/^-/, '')]);
  const matching = all.filter((item) =>
    query.getAll('property').every((filter) => matchesProperty(viewOf(item), filter)),
  );
  const sorted =
    order === null
      ? matching
      : matching.toSorted((first, second) => direction * compareTexts(keyOf(first), keyOf(second)));
  const rest =
    start === null ? sorted : sorted.filter((item) => direction * compareTexts(keyOf(item), start) > 0);
  const items = rest.slice(0, Math.min(limit, MAX_RESULTS));
  const last = items.at(-1);
  const next = items.length < rest.length && last !== undefined ? keyOf(last) : null;
  return { ok: true, value: { items, next, orderby } };
}

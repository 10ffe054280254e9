import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { flowProblem } from './flow-problem.ts';

/** Without `limit`. Adobe's own default is not documented: a client has to follow the token. */
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

interface PropertyFilter {
  readonly path: readonly string[];
  readonly operator: string;
  /** Alternatives. */
  readonly values: readonly string[];
}

/** A filter such as `name==a,b`, or the answer that refuses it. */
function readFilter(text: string): PropertyFilter | Answer {
  const [, path, operator, value] = /^([^=!<>]+)(==|!=|>=|<=|>|<)(.*)$/s.exec(text) ?? [];
  if (path === undefined || operator === undefined || value === undefined) {
    return flowProblem('1450-400', `Invalid operator in filter params: ${text}`);
  }
  if (value === '') return flowProblem('1453-400', `Invalid query value ${text} provided in query param.`);
  return { path: path.split('.'), operator, values: value.split(',') };
}

/** The values at a path; a name that ends with `[]` is a list whose items all count. */
function valuesAt(value: JsonValue | undefined, path: readonly string[]): JsonValue[] {
  const [segment, ...rest] = path;
  if (value === undefined) return [];
  if (segment === undefined) return [value];
  if (!isJsonObject(value)) return [];
  const isList = segment.endsWith('[]');
  const inner = value[isList ? segment.slice(0, -2) : segment];
  if (!isList) return valuesAt(inner, rest);
  return Array.isArray(inner) ? inner.flatMap((item) => valuesAt(item, rest)) : [];
}

/** A value as a query writes it. */
function textOf(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function isAfter(left: JsonValue, right: string): boolean {
  return typeof left === 'number' ? left > Number(right) : textOf(left) > right;
}

/** The documentation filters runs by `Failed`, and shows `success` in answers: case counts not. */
function isSame(left: JsonValue, right: string): boolean {
  return textOf(left).toLowerCase() === right.toLowerCase();
}

function isListed(value: JsonValue, { operator, values }: PropertyFilter, isState: boolean): boolean {
  const [first = ''] = values;
  const isEqual = (right: string): boolean => (isState ? isSame(value, right) : textOf(value) === right);
  switch (operator) {
    case '==':
      return values.some(isEqual);
    case '!=':
      return !values.some(isEqual);
    case '>':
      return isAfter(value, first);
    case '>=':
      return isAfter(value, first) || isEqual(first);
    case '<':
      return !isAfter(value, first) && !isEqual(first);
    default:
      return !isAfter(value, first);
  }
}

function meets(item: JsonObject, filter: PropertyFilter): boolean {
  const isState = ['status', 'state'].includes(filter.path.at(-1) ?? '');
  return valuesAt(item, filter.path).some((value) => isListed(value, filter, isState));
}

function inOrder(items: readonly JsonObject[], orderby: string | null): readonly JsonObject[] {
  if (orderby === null || orderby === '') return items;
  const isDescending = orderby.startsWith('-');
  const path = orderby.replace(/^[-+ ]/, '').split('.');
  const [before, after] = isDescending ? [1, -1] : [-1, 1];
  const valueOf = (item: JsonObject): JsonValue => valuesAt(item, path)[0] ?? '';
  return items.toSorted((left, right) => {
    const [a, b] = [valueOf(left), valueOf(right)];
    if (a === b) return 0;
    return isAfter(b, textOf(a)) ? before : after;
  });
}

function limitOf(query: URLSearchParams): number {
  const given = Number(query.get('limit') ?? DEFAULT_LIMIT);
  return Number.isInteger(given) && given > 0 ? Math.min(given, MAX_LIMIT) : DEFAULT_LIMIT;
}

/** Where the next page begins: a position, and the query that it belongs to. */
function readToken(query: URLSearchParams): readonly [start: number, query: URLSearchParams] {
  const token = query.get('continuationToken');
  if (token === null) return [0, query];
  const [start = '', text = ''] = Buffer.from(token, 'base64url').toString().split('\n');
  return [Number.parseInt(start, 10) || 0, new URLSearchParams(text)];
}

function nextLink(path: string, start: number, query: URLSearchParams): object {
  const token = Buffer.from(`${start}\n${query.toString()}`).toString('base64url');
  const next = new URLSearchParams(query);
  next.set('continuationToken', token);
  return { next: { href: `${path}?${next.toString()}` } };
}

/**
 * The answer to a listing request of Flow Service: filters by `property`, all of which must hold,
 * `orderby`, `count`, and pages (docs/platforms/adobe.md#flow-service).
 *
 * @param path of the collection, such as `/flows`
 */
export function listItems(items: readonly JsonObject[], given: URLSearchParams, path: string): Answer {
  if (given.has('limit') && given.has('count')) {
    return flowProblem('1401-400', 'The limit and count parameters cannot be given together.');
  }
  const [start, query] = readToken(given);
  const filters: PropertyFilter[] = [];
  for (const text of query.getAll('property')) {
    const filter = readFilter(text);
    if ('status' in filter) return filter;
    filters.push(filter);
  }
  const found = items.filter((item) => filters.every((filter) => meets(item, filter)));
  if (query.get('count') === 'true') return jsonAnswer(200, { count: found.length });
  const end = start + limitOf(query);
  const page = inOrder(found, query.get('orderby')).slice(start, end);
  return jsonAnswer(200, {
    items: page,
    _links: end < found.length ? nextLink(path, end, query) : {},
  });
}

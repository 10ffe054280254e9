import type { JsonObject } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer } from '../exchange.ts';
import { badRequest } from './registry-errors.ts';
import type { TwinDataset } from './sandbox.ts';
import { textOf } from './schema-merge.ts';

/** Catalog's limits of a list (docs/platforms/adobe.md#catalog). */
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** Only the top-level properties that `properties` names. */
export function projected(body: JsonObject, query: URLSearchParams): JsonObject {
  const names = query.get('properties')?.split(',');
  if (names === undefined) return body;
  return Object.fromEntries(Object.entries(body).filter(([name]) => names.includes(name)));
}

/** `unifiedProfile:enabled:true`, or `unifiedProfile:*`; several must all hold. */
function hasTags({ tags }: TwinDataset, filter: string): boolean {
  return filter.split(',').every((part) => {
    const separator = part.indexOf(':');
    const [name, wanted] = [part.slice(0, separator), part.slice(separator + 1)];
    const isPrefix = wanted.endsWith('*');
    return tags[name]?.some((value) => (isPrefix ? value.startsWith(wanted.slice(0, -1)) : value === wanted));
  });
}

function matches(dataset: TwinDataset, query: URLSearchParams): boolean {
  const tags = query.get('tags');
  const texts = ['name', 'description'].every((key) => {
    const wanted = query.get(key);
    return wanted === null || textOf(dataset.body[key]) === wanted;
  });
  return texts && (tags === null || hasTags(dataset, tags));
}

/** `asc:created,updated` or `desc:created`. */
function ordered(datasets: TwinDataset[], order: string | null): TwinDataset[] {
  if (order === null) return datasets;
  const [direction, names = ''] = order.includes(':') ? order.split(':') : ['asc', order];
  const [name = ''] = names.split(',');
  const sign = direction === 'desc' ? -1 : 1;
  return datasets.toSorted((first, second) => {
    const [left, right] = [first, second].map(({ body }) => body[name] ?? '');
    return left === right ? 0 : sign * ((left ?? '') < (right ?? '') ? -1 : 1);
  });
}

/** An object of datasets by id, not a list; nothing says that there are more. */
export function datasetList(datasets: readonly TwinDataset[], query: URLSearchParams): Answer {
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  const start = Number(query.get('start') ?? 0);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    return badRequest(`limit must be between 1 and ${MAX_LIMIT}.`);
  }
  if (!Number.isInteger(start) || start < 0) return badRequest('start must not be negative.');
  const matching = datasets.filter((dataset) => matches(dataset, query));
  const page = ordered(matching, query.get('orderBy')).slice(start, start + limit);
  return jsonAnswer(200, Object.fromEntries(page.map(({ id, body }) => [id, projected(body, query)])));
}

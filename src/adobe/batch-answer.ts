import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { parseObject } from './json-text.ts';
import { problemText } from './problem-text.ts';
import { shorten } from './short-text.ts';
import { xactionIndex } from './xaction-id.ts';

export { readProblem } from './problem-text.ts';

/** What became of one message of a batch. `unknown`: the answer does not tell; send it again alone. */
export type ItemAnswer =
  | { readonly kind: 'taken'; readonly xactionId?: string }
  | {
      readonly kind: 'failed';
      readonly status: number;
      readonly message: string;
      readonly xactionId?: string;
    }
  | { readonly kind: 'unknown' };

const UNKNOWN: ItemAnswer = { kind: 'unknown' };
const MAX_MESSAGE_BYTES = 2_048;

function xactionIdOf(item: JsonValue | undefined): string | undefined {
  const id = isJsonObject(item) ? item['xactionId'] : undefined;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** A status as a number; undefined when there is none; NaN when there is one that cannot be read. */
function statusNumber(value: JsonValue | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : Number.NaN;
}

function itemMessage(item: JsonObject): string {
  return problemText(item) || shorten(JSON.stringify(item), MAX_MESSAGE_BYTES);
}

/** Live systems say `status`, the docs `statusCode`; neither means success, either ≥ 400 failure (adobe.md §2.5). */
function readItem(item: JsonValue | undefined): ItemAnswer {
  if (!isJsonObject(item)) return UNKNOWN;
  const xactionId = xactionIdOf(item);
  const id = xactionId === undefined ? {} : { xactionId };
  const statuses = [statusNumber(item['status']), statusNumber(item['statusCode'])];
  const status = statuses.find((number) => number !== undefined && number >= 400);
  if (status !== undefined) return { kind: 'failed', status, message: itemMessage(item), ...id };
  // A status that is no number may well be bad news: better sent twice than lost.
  return statuses.some(Number.isNaN) ? UNKNOWN : { kind: 'taken', ...id };
}

function byIndex(
  items: readonly JsonValue[],
  indices: readonly (number | undefined)[],
  sentCount: number,
): ItemAnswer[] {
  const places = new Map<number, number | undefined>();
  for (const [at, index] of indices.entries()) {
    if (index !== undefined) places.set(index, places.has(index) ? undefined : at);
  }
  return Array.from({ length: sentCount }, (_, index) => {
    const at = places.get(index);
    return at === undefined ? UNKNOWN : readItem(items[at]);
  });
}

/**
 * Reads the body of a 207: one answer for each message sent, in the order sent. By position when there are as many items as messages
 * and no index speaks against it; else by the index in `xactionId` where it is in range and unique. Never throws.
 * Source: adobe.md §2.5; the docs' own sample breaks both rules, so what matches neither is `unknown`.
 */
export function readBatchAnswer(body: string, sentCount: number): ItemAnswer[] {
  const items = parseObject(body)?.['responses'];
  if (!Array.isArray(items)) return Array.from({ length: sentCount }, () => UNKNOWN);
  const indices = items.map((item) => xactionIndex(xactionIdOf(item)));
  const inPlace = indices.every((index, at) => index === undefined || index === at);
  if (items.length === sentCount && inPlace) return items.map(readItem);
  return byIndex(items, indices, sentCount);
}

/** What the single endpoint says of a message it took. */
export interface SingleAnswer {
  readonly xactionId?: string;
  /** `pass` when the message was validated at once, `skipped` when it was not; only development asks for it (adobe.md §2.5). */
  readonly syncValidation?: string;
}

function syncValidationOf(value: JsonValue | undefined): string | undefined {
  if (!isJsonObject(value)) return undefined;
  if (typeof value['status'] === 'string') return value['status'];
  return value['skipped'] === true ? 'skipped' : undefined;
}

/** Reads the body of a 200 of the single endpoint; a body that cannot be read gives an empty answer. Never throws. */
export function readSingleAnswer(body: string): SingleAnswer {
  const answer = parseObject(body);
  const xactionId = xactionIdOf(answer);
  const syncValidation = syncValidationOf(answer?.['syncValidation']);
  return {
    ...(xactionId !== undefined && { xactionId }),
    ...(syncValidation !== undefined && { syncValidation }),
  };
}

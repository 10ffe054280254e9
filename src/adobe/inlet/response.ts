import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { truncateUtf8 } from '../../telemetry/truncate.ts';
import { pageText, parseJsonObject } from '../../http/answer-text.ts';

/**
 * The outcome of one message of a batch. `unknown`: the response does not contain it, so the
 * message is resent alone. `foreign`: its element has nothing that Adobe writes, so it proves
 * nothing.
 */
export type ItemResult =
  | { readonly kind: 'taken'; readonly xactionId?: string }
  | {
      readonly kind: 'failed';
      readonly status: number;
      readonly message: string;
      readonly xactionId?: string;
    }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'unknown' };

const UNKNOWN: ItemResult = { kind: 'unknown' };
const MAX_MESSAGE_BYTES = 2_048;

function xactionIdOf(item: JsonValue | undefined): string | undefined {
  const id = isJsonObject(item) ? item['xactionId'] : undefined;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** A status as a number; undefined if there is none; NaN if it cannot be read. */
function parseStatus(value: JsonValue | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : Number.NaN;
}

function itemMessage(item: JsonObject): string {
  return problemText(item) || truncateUtf8(JSON.stringify(item), MAX_MESSAGE_BYTES);
}

/**
 * Live systems write `status`, the documentation `statusCode`. An item with either ≥ 400 is a
 * failure, one with an `xactionId` and neither a success.
 * Source: docs/platforms/adobe.md#success-answers
 */
function readItem(item: JsonValue | undefined): ItemResult {
  if (!isJsonObject(item)) return UNKNOWN;
  const xactionId = xactionIdOf(item);
  const id = xactionId === undefined ? {} : { xactionId };
  const statuses = [parseStatus(item['status']), parseStatus(item['statusCode'])];
  const status = statuses.find((number) => number !== undefined && number >= 400);
  if (status !== undefined) return { kind: 'failed', status, message: itemMessage(item), ...id };
  // A status that cannot be read may mean a failure: sending twice is better than losing the
  // message.
  if (statuses.some(Number.isNaN)) return UNKNOWN;
  const isAdobes = xactionId !== undefined || statuses.some((number) => number !== undefined);
  return isAdobes ? { kind: 'taken', ...id } : { kind: 'foreign' };
}

function matchByIndex(
  items: readonly JsonValue[],
  indices: readonly (number | undefined)[],
  sentCount: number,
): ItemResult[] {
  const positions = new Map<number, number | undefined>();
  for (const [position, index] of indices.entries()) {
    if (index !== undefined) positions.set(index, positions.has(index) ? undefined : position);
  }
  return Array.from({ length: sentCount }, (_, index) => {
    const position = positions.get(index);
    return position === undefined ? UNKNOWN : readItem(items[position]);
  });
}

/**
 * Reads the body of a 207: one result per message, in the order sent. Items match by position
 * if there are as many items as messages and no index contradicts it; else by the index in
 * `xactionId` if it is in range and unique. Adobe's own example breaks both rules; what matches
 * neither is `unknown`. Never throws.
 * Source: docs/platforms/adobe.md#item-matching
 */
export function readBatchResponse(body: string, sentCount: number): ItemResult[] {
  const items = parseJsonObject(body)?.['responses'];
  if (!Array.isArray(items)) return Array.from({ length: sentCount }, () => UNKNOWN);
  const indices = items.map((item) => xactionIndex(xactionIdOf(item)));
  const isInOrder = indices.every((index, position) => index === undefined || index === position);
  if (items.length === sentCount && isInOrder) return items.map(readItem);
  return matchByIndex(items, indices, sentCount);
}

/**
 * Reads the body of a 2xx of the single endpoint, which is Adobe's: its own status counts, and so
 * does that of the only element if the answer has the form of a batch. Never throws.
 */
export function readSingleItem(body: string): ItemResult {
  const answer = parseJsonObject(body);
  if (Array.isArray(answer?.['responses'])) return readBatchResponse(body, 1)[0] ?? UNKNOWN;
  const item = readItem(answer);
  // The inlet's id alone shows that the inlet has answered.
  return item.kind === 'foreign' ? { kind: 'taken' } : item;
}

const BARE_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function parseIndex(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * The index of a message in its batch, from 0, by its `xactionId`: `uuid-index` and `ms:n:n:index`
 * have one; `ms:n:n` of the single endpoint and a bare UUID do not, even if its last group is all
 * digits.
 * Source: docs/platforms/adobe.md#item-matching
 */
export function xactionIndex(xactionId: string | undefined): number | undefined {
  if (xactionId === undefined || BARE_UUID.test(xactionId)) return undefined;
  if (xactionId.includes(':')) {
    const parts = xactionId.split(':');
    return parts.length === 4 ? parseIndex(parts[3]) : undefined;
  }
  const dash = xactionId.lastIndexOf('-');
  return dash === -1 ? undefined : parseIndex(xactionId.slice(dash + 1));
}

const MAX_PROBLEM_BYTES = 2_048;
/** Adobe stops validating a message after five errors: docs/platforms/adobe.md#error-documents */
const MAX_VIOLATIONS = 5;
/** Limits the traversal of a document that may be of any size. */
const MAX_NODES = 500;

function stringOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value.trim() : '';
}

function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/**
 * The innermost violations of the validator's tree, in order, each as `pointer: message`.
 * Source: docs/platforms/adobe.md#error-documents
 */
function collectViolations(roots: readonly JsonObject[]): string[] {
  const found: string[] = [];
  const stack = roots.slice(0, MAX_NODES).toReversed();
  for (let nodes = 0; nodes < MAX_NODES && found.length < MAX_VIOLATIONS; nodes += 1) {
    const node = stack.pop();
    if (node === undefined) break;
    const causes = objectsOf(node['causingExceptions']).slice(0, MAX_NODES);
    if (causes.length > 0) stack.push(...causes.toReversed());
    else {
      const parts = [stringOf(node['pointerToViolation']), stringOf(node['message'])];
      found.push(parts.filter(Boolean).join(': '));
    }
  }
  return found.filter(Boolean);
}

/**
 * Where the inlet, its error batches and the gateway put lists of violations.
 * Sources: docs/platforms/adobe.md#error-documents docs/platforms/adobe.md#validation-codes
 */
function violationRoots(problem: JsonObject, report: JsonObject): JsonObject[] {
  return [report['cause'], report, problem['cause'], problem['_errors'], problem]
    .filter((holder) => isJsonObject(holder))
    .flatMap((holder) => objectsOf(holder['_streamingValidation']));
}

/** Title, messages and first violations of a parsed problem; at most 2 KB; empty if it has none. */
function problemText(problem: JsonObject): string {
  const report = isJsonObject(problem['report']) ? problem['report'] : {};
  const texts = [
    stringOf(problem['title']),
    stringOf(report['message']),
    stringOf(problem['message']),
    stringOf(problem['detail']),
    stringOf(problem['error_description']),
    ...collectViolations(violationRoots(problem, report)),
  ];
  return truncateUtf8([...new Set(texts.filter(Boolean))].join('; '), MAX_PROBLEM_BYTES);
}

/**
 * The readable text of an error body of the inlet: at most 2 KB of UTF-8, empty for an empty body.
 * It may quote values of the message, so it belongs in the event's record and not in a log.
 */
export function readProblem(body: string): string {
  const problem = parseJsonObject(body);
  if (problem === undefined) return pageText(body, MAX_PROBLEM_BYTES);
  return problemText(problem) || truncateUtf8(body.trim(), MAX_PROBLEM_BYTES);
}

import { isJsonObject, type JsonObject, type JsonValue } from '../capillary/json.ts';
import { parseObject } from './json-text.ts';
import { shorten } from './short-text.ts';

const MAX_BYTES = 2_048;
/** Adobe itself stops validating a message after five errors (adobe.md §2.6). */
const MAX_VIOLATIONS = 5;
/** Bound on the walk through a problem that nobody promised to be small. */
const MAX_NODES = 500;

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value.trim() : '';
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The innermost violations of the validator's tree, in order, each as `pointer: message` (adobe.md §2.6). */
function violations(roots: readonly JsonObject[]): string[] {
  const found: string[] = [];
  const open = roots.slice(0, MAX_NODES).toReversed();
  for (let nodes = 0; nodes < MAX_NODES && found.length < MAX_VIOLATIONS; nodes += 1) {
    const node = open.pop();
    if (node === undefined) break;
    const causes = list(node['causingExceptions']).slice(0, MAX_NODES);
    if (causes.length > 0) open.push(...causes.toReversed());
    else found.push([text(node['pointerToViolation']), text(node['message'])].filter(Boolean).join(': '));
  }
  return found.filter(Boolean);
}

/** Where the inlet, its failed batches and the gateway put lists of violations (adobe.md §2.6, §2.8). */
function violationRoots(problem: JsonObject, report: JsonObject): JsonObject[] {
  return [report['cause'], report, problem['cause'], problem['_errors'], problem]
    .filter((holder) => isJsonObject(holder))
    .flatMap((holder) => list(holder['_streamingValidation']));
}

/** Adobe's words in a parsed problem: title, message, first violations; at most 2 KB; empty when it says nothing known. */
export function problemText(problem: JsonObject): string {
  const report = isJsonObject(problem['report']) ? problem['report'] : {};
  const words = [
    text(problem['title']),
    text(report['message']),
    text(problem['message']),
    text(problem['detail']),
    text(problem['error_description']),
    ...violations(violationRoots(problem, report)),
  ];
  return shorten([...new Set(words.filter(Boolean))].join('; '), MAX_BYTES);
}

/** A body that is no problem document: a gateway's page or plain text, without tags. */
function plainText(body: string): string {
  return body
    .slice(0, 4 * MAX_BYTES)
    .replaceAll(/<(style|script)\b[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/**
 * What an error body of the inlet says, for people: at most 2 KB of UTF-8, empty for an empty body. It may quote values of the
 * message, so it belongs beside the event and not into a log.
 */
export function readProblem(body: string): string {
  const problem = parseObject(body);
  const said = problem === undefined ? '' : problemText(problem);
  return said === '' ? shorten(plainText(body), MAX_BYTES) : said;
}

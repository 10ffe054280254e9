import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import type { Answer } from '../exchange.ts';
import { textAt } from './flow-body.ts';
import { flowProblem } from './flow-problem.ts';
import type { PlatformCall } from './platform-route.ts';
import type { TwinFlowObject } from './sandbox.ts';

/** Members that a change never reaches. */
const FIXED = ['id', 'state', 'etag', 'connectionSpec', 'flowSpec'];

/**
 * The answer to a change without the current `etag` in `If-Match`, quotation marks included
 * (docs/platforms/adobe.md#flow-service).
 */
export function versionProblem(
  { headers }: PlatformCall,
  { etag }: TwinFlowObject,
  isRequired = true,
): Answer | undefined {
  const given = headers['if-match'];
  if (given === undefined) {
    if (!isRequired) return undefined;
    return flowProblem('1403-400', "The header 'If-Match' is missing in the request.");
  }
  if (given === etag) return undefined;
  return flowProblem('1404-412', `The supplied version '${given}' does not match the current version.`);
}

interface Instruction {
  readonly op: string;
  readonly path: readonly string[];
  readonly value: JsonValue | undefined;
}

function readInstruction(value: JsonValue): Instruction | Answer {
  if (!isJsonObject(value)) return flowProblem('1405-400', 'The request body cannot be null or empty.');
  const given = textAt(value, 'op') ?? '';
  const op = given.toLowerCase();
  if (!['add', 'replace', 'remove'].includes(op)) {
    return flowProblem('1434-400', `Unsupported operation '${given}' received.`);
  }
  const path = (textAt(value, 'path') ?? '').split('/').slice(1);
  const [first = ''] = path;
  if (first === 'connectionSpec') {
    return flowProblem('1414-400', 'The connection spec of a connection cannot be updated.');
  }
  if (first === '' || FIXED.includes(first)) {
    return flowProblem('1455-400', `An error has occurred while validating patch instructions: ${first}.`);
  }
  return { op, path, value: value.value };
}

/** A copy with one change, or undefined if what is to be replaced or removed is missing. */
function changed(target: JsonObject, { op, path, value }: Instruction): JsonObject | undefined {
  const [name = '', ...rest] = path;
  const inner = target[name];
  if (rest.length > 0) {
    const below = isJsonObject(inner) ? changed(inner, { op, path: rest, value }) : undefined;
    return below && { ...target, [name]: below };
  }
  if (op !== 'add' && inner === undefined) return undefined;
  if (op !== 'remove') return { ...target, [name]: value ?? null };
  return Object.fromEntries(Object.entries(target).filter(([key]) => key !== name));
}

/** The body with the changes of a JSON Patch, or the answer that refuses them. */
export function patchedBody(
  body: JsonObject,
  patch: JsonValue | undefined,
): { readonly body: JsonObject } | Answer {
  const list = Array.isArray(patch) ? patch : patch === undefined || patch === null ? [] : [patch];
  if (list.length === 0) return flowProblem('1405-400', 'The request body cannot be null or empty.');
  let current = body;
  for (const item of list) {
    const instruction = readInstruction(item);
    if ('status' in instruction) return instruction;
    const next = changed(current, instruction);
    if (!next) {
      const path = instruction.path.join('/');
      return flowProblem('1455-400', `An error has occurred while validating patch instructions: ${path}.`);
    }
    current = next;
  }
  return { body: current };
}

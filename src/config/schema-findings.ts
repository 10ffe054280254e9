import type { z } from 'zod';
import { type Finding, type Path, formatPath } from './config-error.ts';
import { writeFix } from './fix-texts.ts';
import { fieldAt, keysAt, valueAt } from './json-schema.ts';
import type { Interpolated } from './placeholders.ts';
import { nearest } from './nearest.ts';
import { isSecretKey } from './field-types.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Messages for values whose schema has none of its own. */
export const plainMessage: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_type') return `must be ${KINDS[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.join(', ')}`;
  if (issue.code === 'too_small' && issue.origin === 'string') return 'must not be empty';
  return undefined;
};

function unknownKey(key: string, parent: Path, tree: unknown): Finding {
  const known = keysAt(tree, parent);
  const meant = nearest(key, known);
  return {
    path: [...parent, key],
    message: 'is not a known key',
    fix: `${meant === undefined ? 'remove it' : `write \`${meant}\` instead`}. Allowed here: ${known.join(', ')}`,
  };
}

/** Objects that contain secrets: a misplaced value in them may be a secret. */
const SECRET_OBJECTS: ReadonlySet<string | number> = new Set(['verify', 'ims']);

function isSafeToShow(path: Path, value: unknown): boolean {
  if (path.some((key) => isSecretKey(key) || SECRET_OBJECTS.has(key))) return false;
  if (typeof value === 'string') return !/\/\/[^/]*@/.test(value);
  return typeof value === 'number' || typeof value === 'boolean';
}

/** The invalid value or the placeholder that it came from; nothing if it may contain a secret. */
function showValue(issue: z.core.$ZodIssue, path: Path, { value: tree, templates }: Interpolated): string {
  const value = valueAt(tree, path);
  const expectsContainer =
    issue.code === 'invalid_type' && !['string', 'number', 'boolean'].includes(issue.expected);
  if (expectsContainer || !isSafeToShow(path, value)) return '';
  const template = templates.get(formatPath(path));
  if (template !== undefined) return ` (it comes from ${template.slice(0, 80)})`;
  return ` (it is ${JSON.stringify(value).slice(0, 80)})`;
}

function invalidValue(issue: z.core.$ZodIssue, path: Path, filled: Interpolated): Finding {
  const value = valueAt(filled.value, path);
  const field = fieldAt(filled.value, path);
  const write = writeFix(path, field, isSafeToShow(path, value) ? value : undefined);
  const meaning = field?.description === undefined ? '' : `. ${field.description}`;
  if (path.length > 0 && value === undefined)
    return { path, message: 'is missing', fix: `${write.replace('write it in the form', 'add')}${meaning}` };
  if (value === null) return { path, message: 'is empty', fix: `${write}, or remove the line${meaning}` };
  const message =
    issue.code === 'invalid_type' && issue.expected === 'array'
      ? 'must be a list'
      : `${issue.message}${showValue(issue, path, filled)}`;
  return { path, message, fix: `${write}${meaning}` };
}

/** The problems that the schema found, explained for a person. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[], filled: Interpolated): Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey(key, path, filled.value))
      : [invalidValue(issue, path, filled)];
  });
}

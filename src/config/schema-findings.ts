import type { z } from 'zod';
import { type Finding, type Path, formatPath } from './config-error.ts';
import { descriptionAt, keysAt, valueAt } from './field-docs.ts';
import type { Filled } from './interpolate.ts';
import { nearest } from './nearest.ts';
import { isSecretKey } from './secret-list.ts';

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a block of keys',
  record: 'a block of keys',
};

/** Plain words for what the schema has no message of its own for. */
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
    cure: `${meant === undefined ? 'remove it.' : `did you mean \`${meant}\`?`} Allowed here: ${known.join(', ')}`,
  };
}

/** Blocks that secrets stand in: a value in the wrong place there may be one of them. */
const QUIET_BLOCKS: ReadonlySet<string | number> = new Set(['verify', 'ims']);

function maySayValue(path: Path, value: unknown): boolean {
  if (path.some((key) => isSecretKey(key) || QUIET_BLOCKS.has(key))) return false;
  if (typeof value === 'string') return !/\/\/[^/]*@/.test(value);
  return typeof value === 'number' || typeof value === 'boolean';
}

/** The wrong value, unless it may be a secret or hold one: then nothing, or the placeholder that it came from. */
function shown(issue: z.core.$ZodIssue, path: Path, { value: tree, templates }: Filled): string {
  const value = valueAt(tree, path);
  const wantsBlock =
    issue.code === 'invalid_type' && !['string', 'number', 'boolean'].includes(issue.expected);
  if (wantsBlock || !maySayValue(path, value)) return '';
  const template = templates.get(formatPath(path));
  if (template !== undefined) return ` (it comes from ${template.slice(0, 80)})`;
  return ` (it is ${JSON.stringify(value).slice(0, 80)})`;
}

function lastKey(path: Path): string {
  return path.findLast((key) => typeof key === 'string') ?? '';
}

function wrongValue(issue: z.core.$ZodIssue, path: Path, filled: Filled): Finding {
  const value = valueAt(filled.value, path);
  const what = descriptionAt(filled.value, path) ?? 'docs/configuration.md tells what belongs here';
  if (path.length > 0 && value === undefined)
    return { path, message: 'is missing', cure: `add \`${lastKey(path)}\`: ${what}` };
  if (value === null)
    return { path, message: 'is empty', cure: `give it a value or remove the line: ${what}` };
  if (issue.code === 'invalid_type' && issue.expected === 'array')
    return { path, message: 'must be a list', cure: `write \`${lastKey(path)}: [ … ]\`: ${what}` };
  return { path, message: `${issue.message}${shown(issue, path, filled)}`, cure: what };
}

/** What the schema found, in words for a person. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[], filled: Filled): Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey(key, path, filled.value))
      : [wrongValue(issue, path, filled)];
  });
}

import type { z } from 'zod';
import { type Finding, type Path, formatPath } from './config-error.ts';
import { writeFix } from './fix-texts.ts';
import { fieldAt, keysAt, valueAt } from './json-schema.ts';
import type { Interpolated } from './placeholders.ts';
import { nearest } from './nearest.ts';
import { isSecretKey } from './field-types.ts';
import { PROVISIONED_KEYS } from './stand-ins.ts';

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

/** The start of `port:8080`, which YAML reads as one string. */
const NO_SPACE = /^([A-Za-z]\w*):\S/;

function missingSpace(path: Path): Finding {
  return {
    path,
    message: 'a space is missing after the colon, so YAML does not read this as a key',
    fix: 'write a space between the colon and the value',
  };
}

function fixOfUnknownKey(meant: string | undefined, isGiven: boolean): string {
  if (meant === undefined) return 'remove it';
  return isGiven ? `remove it: \`${meant}\` is given as well` : `write \`${meant}\` instead`;
}

function unknownKey(key: string, parent: Path, tree: unknown): Finding {
  const name = NO_SPACE.exec(key)?.[1];
  if (name !== undefined) return missingSpace([...parent, name]);
  const known = keysAt(tree, parent);
  const meant = nearest(key, known);
  const fix = fixOfUnknownKey(meant, meant !== undefined && valueAt(tree, [...parent, meant]) !== undefined);
  return {
    path: [...parent, key],
    message: 'is not a known key',
    fix: `${fix}. Allowed here: ${known.join(', ')}`,
  };
}

/**
 * Objects that contain secrets: a misplaced value in them may be a secret. So may what is given for
 * a proxy, which can have a password, or for certificates: their key.
 */
const SECRET_OBJECTS: ReadonlySet<string | number> = new Set(['verify', 'ims', 'header', 'proxy', 'ca']);

function isSafeToShow(path: Path, value: unknown): boolean {
  if (path.some((key) => isSecretKey(key) || SECRET_OBJECTS.has(key))) return false;
  if (typeof value === 'string') return !/\/\/.*@/.test(value);
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

const PROVISION_FIX = 'let `capillary-relay provision apply --write` make it and write its id here';

/** Whether the key names something that `provision` makes at Adobe. */
function isProvisioned([section, , ...path]: Path): boolean {
  const key = path.join('.');
  return (
    section === 'destinations' &&
    (['events', 'profile'].includes(key) || PROVISIONED_KEYS.some((known) => known === key))
  );
}

function invalidValue(issue: z.core.$ZodIssue, path: Path, filled: Interpolated): Finding {
  const value = valueAt(filled.value, path);
  const field = fieldAt(filled.value, path);
  const name =
    issue.code === 'invalid_type' && issue.expected === 'object' && typeof value === 'string'
      ? NO_SPACE.exec(value)?.[1]
      : undefined;
  if (name !== undefined && keysAt(filled.value, path).includes(name)) return missingSpace([...path, name]);
  // YAML reads digits, true and false without quotes as another type.
  if (issue.message === 'must be a string' && (typeof value === 'number' || typeof value === 'boolean'))
    return {
      path,
      message: `must be a string, but without quotes YAML reads it as ${typeof value === 'number' ? 'a number' : 'true or false'}`,
      fix: typeof path.at(-1) === 'string' ? `put it in quotes: \`${path.at(-1)}: "…"\`` : 'put it in quotes',
    };
  const write = writeFix(path, field, isSafeToShow(path, value) ? value : undefined);
  if (path.length > 0 && value === undefined) {
    // Who did not write the key may not know what it is for.
    const meaning = field?.description === undefined ? '' : `. ${field.description}`;
    const add = write.replace('write it in the form', 'add');
    const fix = isProvisioned(path) ? `${add}, or ${PROVISION_FIX}` : add;
    return { path, message: 'is missing', fix: `${fix}${meaning}` };
  }
  if (value === null) {
    const other = isProvisioned(path) ? PROVISION_FIX : 'remove the line';
    return { path, message: 'is empty', fix: `${write}, or ${other}` };
  }
  const message =
    issue.code === 'invalid_type' && issue.expected === 'array'
      ? 'must be a list'
      : `${issue.message}${showValue(issue, path, filled)}`;
  return { path, message, fix: write };
}

/** The problems that the schema found, explained for a person. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[], filled: Interpolated): Finding[] {
  const findings = issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey(key, path, filled.value))
      : [invalidValue(issue, path, filled)];
  });
  // A key without its space is missing, too.
  const places = findings.map(({ path, message }) => (message === 'is missing' ? '' : formatPath(path)));
  return findings.filter(
    ({ path, message }) => message !== 'is missing' || !places.includes(formatPath(path)),
  );
}

import { type Finding, type Path, formatPath } from './config-error.ts';

/** Where the values of placeholders come from. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => { readonly text: string } | { readonly failure: string };
}

export interface Filled {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Path → the text as it stands in the file, for every text that held a placeholder. */
  readonly templates: ReadonlyMap<string, string>;
}

type Resolved = { readonly text: string } | Omit<Finding, 'path'>;

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)(\}?)/g;
const SYNTAX =
  'write ${NAME}, ${NAME:-default} or ${file:/path}; a ${ that is meant as it stands is written $${';

function fromFile(path: string, { readFile }: Surroundings): Resolved {
  const read = readFile(path);
  if ('text' in read) return read;
  return {
    message: `the file ${path} ${read.failure}`,
    cure: 'create the file, or mount the secret there, and let the user that the relay runs as read it',
  };
}

function fromEnv(name: string, fallback: string | undefined, { env }: Surroundings): Resolved {
  const text = Object.hasOwn(env, name) ? env[name] : undefined;
  if (text !== undefined && (text !== '' || fallback === undefined)) return { text };
  if (fallback !== undefined) return { text: fallback };
  return {
    message: `the environment variable ${name} is not set`,
    cure: `set ${name}, or give a default: \${${name}:-default}`,
  };
}

function resolve(body: string, surroundings: Surroundings): Resolved {
  if (body.startsWith('file:') && body.length > 'file:'.length)
    return fromFile(body.slice('file:'.length), surroundings);
  const parts = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/.exec(body);
  if (parts === null) return { message: 'holds a placeholder that cannot be read', cure: SYNTAX };
  const [, name = '', fallback] = parts;
  if (fallback?.includes('${') === true)
    return { message: 'holds a placeholder inside another', cure: SYNTAX };
  return fromEnv(name, fallback, surroundings);
}

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${file:/path}` in every text of the tree; `$${` stands for `${`. As in a shell the default
 * also stands in for an empty variable. A text that cannot be filled stays as it is and is reported.
 */
export function interpolate(tree: unknown, surroundings: Surroundings): Filled {
  const findings: Finding[] = [];
  const templates = new Map<string, string>();

  const fillText = (template: string, path: Path): string => {
    const before = findings.length;
    const text = template.replaceAll(PLACEHOLDER, (match, body: string | undefined, close: string) => {
      if (body === undefined) return '${';
      const result =
        close === '' ? { message: 'holds a ${ without its }', cure: SYNTAX } : resolve(body, surroundings);
      if ('text' in result) return result.text;
      findings.push({ path, ...result });
      return match;
    });
    if (text !== template || findings.length > before) templates.set(formatPath(path), template);
    return findings.length > before ? template : text;
  };

  const fill = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return fillText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key])]));
  };

  return { value: fill(tree, []), findings, templates };
}

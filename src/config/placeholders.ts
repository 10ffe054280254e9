import { type BigIntStats, readFileSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Finding, formatPath, type Path } from './config-error.ts';

/** Where the values of placeholders come from. */
export interface PlaceholderSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => SecretFile;
}

/** The text of a file, or why it cannot be used; `file` is its absolute path. */
type SecretFile = { readonly text: string } | { readonly failure: string; readonly file: string };

export interface Interpolated {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Path → the original string, for every string with a placeholder. */
  readonly templates: ReadonlyMap<string, string>;
}

type Resolved = { readonly text: string } | Omit<Finding, 'path'>;

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)(\}?)/g;
const SYNTAX = 'write ${NAME}, ${NAME:-default} or ${file:/path}; for a literal ${ write $${';

const TOO_LARGE = 'is larger than 1 MiB, too large for a secret';

function fixOfFile(failure: string): string {
  if (failure.includes('EACCES'))
    return 'let this user read the file: its owner or its group, and its folders';
  if (failure === 'is empty') return 'write the secret into the file';
  if (failure === TOO_LARGE || failure === 'is not a file')
    return 'name the file that has only the secret in it';
  return 'create the file or mount the secret there, readable for the user of the relay';
}

function fromFile(path: string, { readFile }: PlaceholderSources): Resolved {
  const read = readFile(path);
  if ('text' in read) return read;
  return { message: `the file ${read.file} ${read.failure}`, fix: fixOfFile(read.failure) };
}

function fromEnv(name: string, fallback: string | undefined, { env }: PlaceholderSources): Resolved {
  const text = Object.hasOwn(env, name) ? env[name] : undefined;
  if (text !== undefined && (text !== '' || fallback === undefined)) return { text };
  if (fallback !== undefined) return { text: fallback };
  return {
    message: `the environment variable ${name} is not set`,
    fix: `set ${name}, or, unless it is a secret, write a default: \${${name}:-default}`,
  };
}

function resolvePlaceholder(body: string, sources: PlaceholderSources): Resolved {
  if (body.startsWith('file:') && body.length > 'file:'.length)
    return fromFile(body.slice('file:'.length), sources);
  const parts = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/.exec(body);
  if (parts === null) return { message: 'contains an invalid placeholder', fix: SYNTAX };
  const [, name = '', fallback] = parts;
  if (fallback?.includes('${') === true)
    return { message: 'contains a placeholder inside another', fix: SYNTAX };
  return fromEnv(name, fallback, sources);
}

/**
 * Whether what ends at the offset is a user or a password in a URL. There a secret is written as it
 * is, and characters such as / would end the part.
 */
function isCredential(template: string, end: number, path: Path): boolean {
  const isProxy = formatPath(path) === 'egress.proxy';
  const hasUser = isProxy ? /^https?:\/\// : /^postgres(ql)?:\/\//;
  return hasUser.test(template) && template.indexOf('@', end) >= 0;
}

/**
 * Replaces `${NAME}`, `${NAME:-default}` and `${file:/path}` in every string of the tree; `$${` is
 * a literal `${`. As in a shell, the default also replaces an empty variable. If a placeholder of a
 * string cannot be replaced, the string is not changed and the problem is reported.
 */
export function interpolate(tree: unknown, sources: PlaceholderSources): Interpolated {
  const findings: Finding[] = [];
  const templates = new Map<string, string>();

  const fillString = (template: string, path: Path): string => {
    const before = findings.length;
    const text = template.replaceAll(
      PLACEHOLDER,
      (match, body: string | undefined, close: string, at: number) => {
        if (body === undefined) return '${';
        const result =
          close === ''
            ? { message: 'contains ${ without the closing }', fix: SYNTAX }
            : resolvePlaceholder(body, sources);
        if ('text' in result)
          return isCredential(template, at + match.length, path)
            ? encodeURIComponent(result.text)
            : result.text;
        findings.push({ path, ...result });
        return match;
      },
    );
    if (text !== template || findings.length > before) templates.set(formatPath(path), template);
    return findings.length > before ? template : text;
  };

  const fill = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return fillString(value, path);
    if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key])]));
  };

  return { value: fill(tree, []), findings, templates };
}

/** A secret is short: for a larger file, the path is probably wrong. */
const MAX_SECRET_FILE_BYTES = 1_048_576n;

/** Files of the configuration → a stamp of each, which differs after the file has changed. */
export type FileStamps = ReadonlyMap<string, string>;

// Kubernetes updates a mounted secret by replacing a symbolic link, which changes the inode.
function stampOf({ mtimeNs, size, ino }: BigIntStats): string {
  return `${mtimeNs}:${size}:${ino}`;
}

/** The current stamp of a file; `missing` if the file is not accessible. */
export async function currentStamp(path: string): Promise<string> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch {
    return 'missing';
  }
}

function failureOf(error: unknown): string {
  return `cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`;
}

/**
 * Reads the files of `${file:…}` and records their stamps, and which of them cannot be read. A
 * relative path is resolved from `folder`.
 */
export function secretFileReader(folder: string) {
  const stamps = new Map<string, string>();
  const unreadable = new Set<string>();
  const read = (file: string): { readonly text: string } | { readonly failure: string } => {
    try {
      const stats = statSync(file, { bigint: true });
      if (!stats.isFile()) return { failure: 'is not a file' };
      if (stats.size > MAX_SECRET_FILE_BYTES) return { failure: TOO_LARGE };
      // The stamp is taken before the file is read, so that a change in between is not missed.
      stamps.set(file, stampOf(stats));
      const text = readFileSync(file, 'utf8').replace(/[\r\n]+$/, '');
      return text === '' ? { failure: 'is empty' } : { text };
    } catch (error) {
      return { failure: failureOf(error) };
    }
  };
  const readFile = (path: string): SecretFile => {
    const file = resolve(folder, path);
    const result = read(file);
    if ('text' in result) return result;
    unreadable.add(file);
    return { ...result, file };
  };
  return { stamps: stamps as FileStamps, unreadable: unreadable as ReadonlySet<string>, readFile };
}

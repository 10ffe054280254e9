import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { adminSchema, type Config } from './config-schema.ts';
import { type Environment, problemAt, readConfig, readText } from './load-config.ts';
import { interpolate, secretFileReader } from './placeholders.ts';
import { plainMessage, schemaFindings } from './schema-findings.ts';
import { parseYaml, type YamlTree } from './yaml-tree.ts';

const addressSchema = z.object({
  admin: z.object(adminSchema.pick({ host: true, port: true }).shape).prefault({}),
});
const tokenSchema = z.object({ admin: z.object(adminSchema.pick({ token: true }).shape).prefault({}) });

/** How to reach the admin port of the relay that runs with a configuration. */
export interface AdminSection extends Pick<Config['admin'], 'host' | 'port'> {
  /** Why the file as a whole is not valid YAML. */
  readonly problem?: ConfigProblem;
  /**
   * Reads `admin.token`.
   * @throws ConfigError if its variable or file cannot be read
   */
  token(): string | undefined;
}

/** Whether the file exists and this user may read it. */
export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function keysOf(tree: unknown, keys: readonly string[]): unknown {
  const admin = typeof tree === 'object' && tree !== null && 'admin' in tree ? tree.admin : undefined;
  if (typeof admin !== 'object' || admin === null || Array.isArray(admin))
    return admin === undefined ? {} : { admin };
  return { admin: Object.fromEntries(Object.entries(admin).filter(([key]) => keys.includes(key))) };
}

/** Problems of the file as a whole, in the words of `check`. */
function problemsOfFile(text: string, path: string, env: Environment): readonly ConfigProblem[] {
  try {
    readConfig(text, path, env, []);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.filter((problem) => problem.path === '');
  }
}

/** The text with all lines empty except those of the top-level key `admin`. */
function onlyAdminLines(text: string): string {
  let isAdmin = false;
  return text
    .split('\n')
    .map((line) => {
      if (/^[^\s#]/.test(line)) isAdmin = /^(["']?)admin\1\s*:/.test(line);
      return isAdmin ? line : '';
    })
    .join('\n');
}

/** The file, or of one that is not valid YAML its `admin`; undefined if that cannot be read. */
function parseAdmin(text: string, path: string): { tree: YamlTree; isWhole: boolean } | undefined {
  try {
    return { tree: parseYaml(text, path), isWhole: true };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  const lines = onlyAdminLines(text);
  // Without a block of its own it may be anywhere, such as in an object that it was moved into.
  if (lines.trim() === '' && /\badmin["']?\s*:/.test(text)) return undefined;
  try {
    return { tree: parseYaml(lines, path), isWhole: false };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return undefined;
  }
}

/**
 * Reads only `admin` of a configuration, so that operators' commands work for a user who may not
 * read the other secrets, and with a configuration that has problems elsewhere: a relay that runs
 * does not need its file.
 * @throws ConfigError if the file or its `admin` cannot be read
 */
export function loadAdminSection(path: string, env: Environment): AdminSection {
  const text = readText(path);
  const parsedAdmin = parseAdmin(text, path);
  if (parsedAdmin === undefined) throw new ConfigError(path, problemsOfFile(text, path, env));
  const { tree, isWhole } = parsedAdmin;
  const { readFile } = secretFileReader(dirname(resolve(path)));
  const read = <T>(schema: z.ZodType<T>, keys: readonly string[]): T => {
    const filled = interpolate(keysOf(tree.value, keys), { env, readFile });
    const parsed = schema.safeParse(filled.value, { error: plainMessage });
    const findings = [
      ...filled.findings,
      ...(parsed.success || filled.findings.length > 0 ? [] : schemaFindings(parsed.error.issues, filled)),
    ];
    if (parsed.success && findings.length === 0) return parsed.data;
    const ofFile = problemsOfFile(text, path, env);
    const own = findings.map((finding) => problemAt(finding, tree));
    throw new ConfigError(path, ofFile.length > 0 ? ofFile : own);
  };
  const { host, port } = read(addressSchema, ['host', 'port']).admin;
  const [problem] = isWhole ? [] : problemsOfFile(text, path, env);
  return {
    host,
    port,
    ...(problem === undefined ? {} : { problem }),
    token: () => read(tokenSchema, ['token']).admin.token,
  };
}

import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { adminSchema, type Config } from './config-schema.ts';
import { type Environment, problemAt, readText } from './load-config.ts';
import { interpolate, secretFileReader } from './placeholders.ts';
import { plainMessage, schemaFindings } from './schema-findings.ts';
import { parseYaml } from './yaml-tree.ts';

const addressSchema = z.object({
  admin: z.object(adminSchema.pick({ host: true, port: true }).shape).prefault({}),
});
const tokenSchema = z.object({ admin: z.object(adminSchema.pick({ token: true }).shape).prefault({}) });

/** How to reach the admin port of the relay that runs with a configuration. */
export interface AdminSection extends Pick<Config['admin'], 'host' | 'port'> {
  /**
   * Reads `admin.token`.
   * @throws ConfigError if its variable or file cannot be read
   */
  token(): string | undefined;
}

function keysOf(tree: unknown, keys: readonly string[]): unknown {
  const admin = typeof tree === 'object' && tree !== null && 'admin' in tree ? tree.admin : undefined;
  if (typeof admin !== 'object' || admin === null || Array.isArray(admin))
    return admin === undefined ? {} : { admin };
  return { admin: Object.fromEntries(Object.entries(admin).filter(([key]) => keys.includes(key))) };
}

/**
 * Reads only `admin` of a configuration, so that operators' commands work for a user who may not
 * read the other secrets, and with a configuration that has problems elsewhere.
 * @throws ConfigError if the file or its `admin` cannot be read
 */
export function loadAdminSection(path: string, env: Environment): AdminSection {
  const tree = parseYaml(readText(path), path);
  const { readFile } = secretFileReader(dirname(resolve(path)));
  const read = <T>(schema: z.ZodType<T>, keys: readonly string[]): T => {
    const filled = interpolate(keysOf(tree.value, keys), { env, readFile });
    const parsed = schema.safeParse(filled.value, { error: plainMessage });
    const findings = [
      ...filled.findings,
      ...(parsed.success || filled.findings.length > 0 ? [] : schemaFindings(parsed.error.issues, filled)),
    ];
    if (!parsed.success || findings.length > 0)
      throw new ConfigError(
        path,
        findings.map((finding) => problemAt(finding, tree)),
      );
    return parsed.data;
  };
  const { host, port } = read(addressSchema, ['host', 'port']).admin;
  return { host, port, token: () => read(tokenSchema, ['token']).admin.token };
}

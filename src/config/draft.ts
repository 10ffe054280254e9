import { z } from 'zod';
import { destinationFields } from './destination.ts';
import { adminSchema, serverSchema } from './server.ts';
import { type SourceConfig, sourceSchema } from './source.ts';
import { storeSchema } from './store.ts';

/**
 * What of a configuration can be read, key by key, however wrong the rest is: so that the checks between keys can report together
 * with the checks of each key.
 */
export interface Draft {
  readonly server: Partial<z.output<typeof serverSchema>>;
  readonly admin: Partial<z.output<typeof adminSchema>>;
  readonly store: Partial<z.output<typeof storeSchema>>;
  readonly sources: readonly Partial<SourceConfig>[];
  readonly destinations: readonly Partial<z.output<typeof destinationFields>>[];
}

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readable<S extends z.ZodObject>(schema: S, block: unknown): Partial<z.output<S>> {
  if (!isTree(block)) return {};
  const pairs = Object.entries(schema.shape).flatMap(([key, field]) => {
    const parsed = z.safeParse(field, block[key]);
    return parsed.success ? [[key, parsed.data]] : [];
  });
  return Object.fromEntries(pairs) as Partial<z.output<S>>;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reads what can be read of a filled-in configuration. */
export function draftOf(tree: unknown): Draft {
  const top = isTree(tree) ? tree : {};
  return {
    server: readable(serverSchema, top['server'] ?? {}),
    admin: readable(adminSchema, top['admin'] ?? {}),
    store: readable(storeSchema, top['store'] ?? {}),
    sources: list(top['sources']).map((source) => readable(sourceSchema, source)),
    destinations: list(top['destinations']).map((destination) => readable(destinationFields, destination)),
  };
}

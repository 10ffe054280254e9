import { z } from 'zod';
import type { Finding } from './config-error.ts';
import { destinationFields } from './destination-config.ts';
import { adminSchema, serverSchema, storeSchema } from './config-schema.ts';
import { type SourceConfig, sourceSchema } from './source-config.ts';

/**
 * The valid values of a configuration, key by key, even if the rest is invalid, so that checks
 * between keys report their problems together with those of single keys.
 */
export interface Draft {
  readonly server: Partial<z.output<typeof serverSchema>>;
  readonly admin: Partial<z.output<typeof adminSchema>>;
  readonly store: Partial<z.output<typeof storeSchema>>;
  readonly sources: readonly Partial<SourceConfig>[];
  readonly destinations: readonly Partial<z.output<typeof destinationFields>>[];
}

export type SourceDraft = Draft['sources'][number];
export type DestinationDraft = Draft['destinations'][number];

/**
 * A check of one source that needs another folder, such as the compiler of expressions. Paths are
 * relative to the source. The caller of `loadConfig` passes these checks in, because this folder
 * must not import the folders that use a configuration.
 */
export type SourceCheck = (source: SourceDraft) => readonly Finding[];

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readValid<S extends z.ZodObject>(schema: S, value: unknown): Partial<z.output<S>> {
  if (!isTree(value)) return {};
  const pairs = Object.entries(schema.shape).flatMap(([key, field]) => {
    const parsed = z.safeParse(field, value[key]);
    return parsed.success ? [[key, parsed.data]] : [];
  });
  return Object.fromEntries(pairs) as Partial<z.output<S>>;
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reads the valid values of a configuration whose placeholders are replaced. */
export function draftOf(tree: unknown): Draft {
  const top = isTree(tree) ? tree : {};
  return {
    server: readValid(serverSchema, top['server'] ?? {}),
    admin: readValid(adminSchema, top['admin'] ?? {}),
    store: readValid(storeSchema, top['store'] ?? {}),
    sources: itemsOf(top['sources']).map((source) => readValid(sourceSchema, source)),
    destinations: itemsOf(top['destinations']).map((destination) =>
      readValid(destinationFields, destination),
    ),
  };
}

import type { CopyPlace } from '../journal/copy/copy-places.ts';
import { CommandError, EXIT } from './command-error.ts';
import { loadCommandConfig } from './command-config.ts';

/** Where a store in PostgreSQL is, and how it is shown. */
export type DatabasePlace = Extract<CopyPlace, { readonly url: string }>;

function isUrl(text: string): boolean {
  return /^postgres(ql)?:/.test(text);
}

async function databasePlace(url: string, schema: string): Promise<DatabasePlace> {
  const { withoutCredentials } = await import('../config/store-url.ts');
  return { url, schema, name: `the schema ${schema} of ${withoutCredentials(url)}` };
}

/** @throws CommandError if it is no URL of a database */
async function databaseAt(text: string, schema: string): Promise<DatabasePlace> {
  const { resolveStoreUrl } = await import('../config/current-store-url.ts');
  const url = resolveStoreUrl(text);
  if (url === undefined)
    throw new CommandError(
      'the URL is not one of a PostgreSQL database, or a placeholder in it cannot be replaced: ' +
        "write it like 'postgres://relay:${file:/run/secrets/pg}@db:5432/relay?sslmode=verify-full'",
      EXIT.usage,
    );
  return databasePlace(url, schema);
}

/** The store of the configuration. */
export async function configuredPlace(file: string): Promise<CopyPlace> {
  const { store, egress } = (await loadCommandConfig(file)).config;
  if (store.engine !== 'postgres') return { folder: store.path };
  return { ...(await databasePlace(store.url ?? '', store.schema)), ca: egress.ca };
}

/** @param text a folder, or the URL of a database; undefined for the store of the configuration */
export async function placeOf(text: string | undefined, schema: string, file: string): Promise<CopyPlace> {
  if (text === undefined) return configuredPlace(file);
  return isUrl(text) ? databaseAt(text, schema) : { folder: text };
}

import type { Logger } from 'pino';
import { connectOnce } from '../postgres/offline/store-migration.ts';
import type { CopySource, CopyTarget } from './copied-rows.ts';
import { createPostgresSource } from './postgres-copy-source.ts';
import { createPostgresTarget } from './postgres-copy-target.ts';
import { openSqliteSource } from './sqlite-copy-source.ts';
import { openSqliteTarget } from './sqlite-copy-target.ts';

/** Where a store is: in a folder, or in a schema of a database. */
export type CopyPlace =
  | { readonly folder: string }
  | {
      readonly url: string;
      readonly schema: string;
      readonly name: string;
      /** `egress.ca` */
      readonly ca?: string | undefined;
    };

/** The store of a stopped relay. @throws StoreError if it cannot be copied */
export async function openCopySource(place: CopyPlace): Promise<CopySource> {
  if ('folder' in place) return openSqliteSource(place.folder);
  const connection = await connectOnce(place, 'store copy');
  try {
    return await createPostgresSource(connection, place);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** @throws StoreError if there is a store */
export async function openCopyTarget(place: CopyPlace, log: Logger): Promise<CopyTarget> {
  if ('folder' in place) return openSqliteTarget(place.folder);
  return createPostgresTarget(await connectOnce(place, 'store copy'), { ...place, log });
}

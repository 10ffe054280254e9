import { statSync } from 'node:fs';
import type { Engine } from './engine.ts';

const read = ({ db }: Engine, name: string): number =>
  Number((db.one(`PRAGMA ${name}`) as Record<string, number>)[name]);

/** Writes the number of the format again: the header's page goes to the disk as it was. */
export const probe = (engine: Engine): void => {
  engine.db.raw.exec(`PRAGMA user_version = ${read(engine, 'user_version')}`);
};

/** Pages that hold something, and the write-ahead log. */
export const usage = (engine: Engine): { usedBytes: number } => {
  const { db } = engine;
  const pragma = (name: string): number => read(engine, name);
  const log = statSync(`${db.raw.location()}-wal`, { throwIfNoEntry: false });
  const pages = pragma('page_count') - pragma('freelist_count');
  return { usedBytes: pages * pragma('page_size') + (log?.size ?? 0) };
};

import { statSync } from 'node:fs';
import type { Engine } from './engine.ts';

function read({ db }: Engine, name: string): number {
  return Number((db.one(`PRAGMA ${name}`) as Record<string, number>)[name]);
}

/** Writes the number of the format again: the header's page goes to the disk as it was. */
export function probe(engine: Engine): void {
  engine.db.raw.exec(`PRAGMA user_version = ${read(engine, 'user_version')}`);
}

/** Pages that hold something, and the write-ahead log. */
export function usage(engine: Engine): { usedBytes: number } {
  const { db } = engine;
  const pragma = (name: string): number => read(engine, name);
  const log = statSync(`${db.raw.location()}-wal`, { throwIfNoEntry: false });
  const pages = pragma('page_count') - pragma('freelist_count');
  return { usedBytes: pages * pragma('page_size') + (log?.size ?? 0) };
}

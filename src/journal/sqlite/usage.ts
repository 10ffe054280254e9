import { statSync } from 'node:fs';
import type { Engine } from './engine.ts';

/** Pages that hold something, and the write-ahead log. */
export const usage = ({ db }: Engine): { usedBytes: number } => {
  const pragma = (name: string): number => Number((db.one(`PRAGMA ${name}`) as Record<string, number>)[name]);
  const log = statSync(`${db.raw.location()}-wal`, { throwIfNoEntry: false });
  const pages = pragma('page_count') - pragma('freelist_count');
  return { usedBytes: pages * pragma('page_size') + (log?.size ?? 0) };
};

import { describe, expect, it } from 'vitest';
import type { Config } from '../src/config/config-schema.ts';
import { RefusedError } from '../src/journal/journal.ts';
import { backUp, limitsOf } from '../src/open-store.ts';
import { configOf, smallestWith } from './config/config-text.ts';

function storeWith(store: object): Config['store'] {
  return configOf(smallestWith([['store'], store])).store;
}

const postgres = storeWith({
  engine: 'postgres',
  url: 'postgres://relay@127.0.0.1/relay',
  schema: 'loyalty',
});

describe('a store in PostgreSQL', () => {
  it('is copied with the tools of the server', async () => {
    const journal = { backup: () => Promise.reject(new Error('must not be called')) };
    const backup = backUp(postgres, journal);
    await expect(backup).rejects.toBeInstanceOf(RefusedError);
    await expect(backup).rejects.toThrow('pg_dump --schema=loyalty');
  });

  it('has no volume whose free space could close the intake', () => {
    expect(limitsOf(postgres)).toMatchObject({ minFree: 0, maxBytes: 10 * 1_024 ** 3 });
    expect(limitsOf(storeWith({ minFree: '1MiB' }))).toMatchObject({ minFree: 1_048_576 });
  });
});

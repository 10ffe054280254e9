import { StoreError } from '../journal.ts';
import type { Engine } from './engine.ts';

/** The assembled profile of a lane: undefined when there is none, null when there is one that cannot be opened. */
export function readProfile(engine: Engine, destination: string, lane: string): string | null | undefined {
  const row = engine.db.one(
    'SELECT state FROM profiles WHERE destination = ? AND lane = ?',
    destination,
    lane,
  ) as { state: Uint8Array } | undefined;
  return row === undefined ? undefined : (engine.seal.open(row.state)?.toString('utf8') ?? null);
}

/** Null removes it. */
export function writeProfile(
  { db, seal }: Engine,
  destination: string,
  lane: string,
  state: string | null,
): void {
  if (state === null) {
    db.run('DELETE FROM profiles WHERE destination = ? AND lane = ?', destination, lane);
    return;
  }
  db.run(
    `INSERT INTO profiles (destination, lane, state) VALUES (?, ?, ?)
     ON CONFLICT (destination, lane) DO UPDATE SET state = excluded.state`,
    destination,
    lane,
    seal.close(Buffer.from(state, 'utf8')),
  );
}

/** @throws StoreError when one cannot be opened: taken for absent, the next profile sent would wipe what it held. */
export function profiles(
  engine: Engine,
  request: { readonly destination: string; readonly lanes: readonly string[] },
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const lane of request.lanes) {
    const state = readProfile(engine, request.destination, lane);
    if (state === null)
      throw new StoreError('an assembled profile cannot be opened: is its encryption key gone?');
    if (state !== undefined) found.set(lane, state);
  }
  return found;
}

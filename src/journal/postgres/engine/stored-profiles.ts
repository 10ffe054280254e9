import { StoreError } from '../../journal.ts';
import { isReadable } from '../../payload-cipher.ts';
import type { Session, Statement } from '../sessions/session.ts';
import { arrayRelation } from './array-relation.ts';
import type { PostgresEngine } from './engine.ts';
import { storedText, textOf } from './stored-text.ts';

/* The assembled profiles of customers, by destination and lane. */

interface ProfileRow {
  readonly lane: string;
  readonly state: Buffer;
}

const PROFILES: Statement = {
  name: 'profiles',
  text: `SELECT lane, state FROM profiles WHERE destination = $1 AND lane = ANY ($2::text[])`,
};

const DELETE_DAMAGED: Statement = {
  name: 'delete_damaged_profile',
  text: `DELETE FROM profiles WHERE destination = $1 AND lane = $2 AND state = $3`,
};

/**
 * A damaged profile is removed and reported.
 * @throws StoreError if the key of one is not configured: treated as absent, the next profile sent
 *   would overwrite its attributes at Adobe
 */
export async function readProfiles(
  engine: Pick<PostgresEngine, 'sessions' | 'cipher' | 'reportUnreadable'>,
  destination: string,
  lanes: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { sessions, cipher } = engine;
  const rows = await sessions.query<ProfileRow>('work', PROFILES, [destination, lanes.map(storedText)]);
  const found = new Map<string, string>();
  for (const { lane, state } of rows) {
    const plain = cipher.decrypt(state);
    if (plain === 'key-unknown')
      throw new StoreError('an assembled profile cannot be decrypted: is its encryption key missing?');
    if (isReadable(plain)) {
      found.set(textOf(lane), plain.toString('utf8'));
      continue;
    }
    engine.reportUnreadable(`the stored state of a customer at ${destination}`, plain);
    await sessions.query('work', DELETE_DAMAGED, [destination, lane, state]);
  }
  return found;
}

/** The profile of a lane as text; null if there is none or it cannot be read. */
export async function profileText(
  { cipher }: Pick<PostgresEngine, 'cipher'>,
  session: Session,
  destination: string,
  lane: string,
): Promise<string | null> {
  const [row] = await session.query<ProfileRow>(PROFILES, [destination, [storedText(lane)]]);
  const plain = row && cipher.decrypt(row.state);
  return plain !== undefined && isReadable(plain) ? plain.toString('utf8') : null;
}

const DELETE_PROFILES: Statement = {
  name: 'delete_profiles',
  text: `DELETE FROM profiles WHERE destination = $1 AND lane = ANY ($2::text[])`,
};

export async function deleteProfiles(
  session: Session,
  destination: string,
  lanes: readonly string[],
): Promise<void> {
  await session.query(DELETE_PROFILES, [destination, lanes.map(storedText)]);
}

const WRITTEN = arrayRelation(3, { lane: 'text', state_at: 'integer', state_length: 'integer' });

const WRITE_PROFILES: Statement = {
  name: 'write_profiles',
  text: `INSERT INTO profiles (destination, lane, state)
    SELECT $1, lane, substring($2::bytea FROM state_at FOR state_length) FROM ${WRITTEN.as('w')} ORDER BY lane
    ON CONFLICT (destination, lane) DO UPDATE SET state = excluded.state`,
};

/** Null deletes a profile. Of several states of one lane the last one counts. */
export async function writeProfiles(
  { cipher }: Pick<PostgresEngine, 'cipher'>,
  session: Session,
  destination: string,
  profiles: readonly { readonly lane: string; readonly state: string | null }[],
): Promise<void> {
  const byLane = new Map(profiles.map(({ lane, state }) => [lane, state]));
  const deleted = [...byLane].filter(([, state]) => state === null).map(([lane]) => lane);
  if (deleted.length > 0) await deleteProfiles(session, destination, deleted);
  const states: Uint8Array[] = [];
  const rows: { lane: string; state_at: number; state_length: number }[] = [];
  let at = 1;
  for (const [lane, state] of byLane) {
    if (state === null) continue;
    const sealed = cipher.encrypt(Buffer.from(state, 'utf8'));
    states.push(sealed);
    rows.push({ lane: storedText(lane), state_at: at, state_length: sealed.length });
    at += sealed.length;
  }
  if (rows.length > 0)
    await session.query(WRITE_PROFILES, [destination, Buffer.concat(states), ...WRITTEN.params(rows)]);
}

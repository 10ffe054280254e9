import type { Session, Statement } from '../sessions/session.ts';
import type { HeldClaim } from '../queue/held-claim.ts';
import { storedBytesSql } from './body-presence.ts';
import { forgetContacts } from './contact-rows.ts';
import { addCountsSql } from './count-changes.ts';
import { aliasesOf } from './lane-aliases.ts';
import { laneKeyOf } from './lane-keys.ts';
import { deleteProfiles } from './stored-profiles.ts';
import { storedText, textOf } from './stored-text.ts';

/*
 * Erasure of customers: payloads, notes and details of their settled events, and their profiles.
 * What was fetched for an event is in the row of its body.
 */

/** @param chosen SQL of the events to erase: `seq`, `day`, `receipt`, `source`, `destination` */
function eraseSql(chosen: string): string {
  return `WITH chosen AS MATERIALIZED (${chosen}),
    body AS (
      DELETE FROM bodies b USING chosen c WHERE b.seq = c.seq AND b.day = c.day
      RETURNING c.source, c.destination, ${storedBytesSql('b')} AS bytes
    ),
    refresh AS (DELETE FROM refreshes r USING chosen c WHERE r.receipt = c.receipt),
    message AS (DELETE FROM sent s USING chosen c WHERE s.seq = c.seq),
    attempt AS (
      UPDATE attempts a SET detail = NULL FROM chosen c WHERE a.seq = c.seq AND a.detail IS NOT NULL
    ),
    event AS (
      UPDATE events e SET detail = NULL, notes = NULL FROM chosen c
      WHERE e.receipt = c.receipt AND e.day = c.day AND (e.detail IS NOT NULL OR e.notes IS NOT NULL)
    )
    ${addCountsSql('body', { stored_bytes: '-sum(bytes)' })}`;
}

const COLUMNS = 'seq, day, receipt, source, destination';

/**
 * Settled events that are in the lane or were moved from it to another lane by an alias. They are
 * locked, so that one that is replayed at the same time keeps its body, or is not replayed.
 */
const ERASE_LANE: Statement = {
  name: 'erase_lane',
  text: eraseSql(`SELECT ${COLUMNS} FROM events
      WHERE ((lane_key = $3 AND lane = $2) OR own_lane = $2)
        AND (destination = $4 OR source = $5) AND state <> 'p'
      ORDER BY seq FOR NO KEY UPDATE`),
};

const ERASE_EVENT: Statement = {
  name: 'erase_event',
  text: eraseSql(`SELECT ${COLUMNS} FROM events WHERE receipt = $2 AND day = $3`),
};

/** The events of the same source or destination are erased: a source can have been rerouted. */
type EraseScope = Pick<HeldClaim, 'destination' | 'source'>;

/** Erases a customer and those merged into it, and what is counted of their contacts. */
export async function eraseLane(
  session: Session,
  lane: string,
  { destination, source }: EraseScope,
): Promise<void> {
  const lanes = [storedText(lane), ...(await aliasesOf(session, destination, lane))];
  for (const each of lanes)
    await session.query(ERASE_LANE, [session.stream, each, laneKeyOf(each, ''), destination, source]);
  await deleteProfiles(session, destination, lanes.map(textOf));
  await forgetContacts(session, destination, lanes);
}

/** Erases the content of one event but not its record. */
export async function eraseEvent(
  session: Session,
  { receipt, day }: Pick<HeldClaim, 'receipt' | 'day'>,
): Promise<void> {
  await session.query(ERASE_EVENT, [session.stream, receipt, day]);
}

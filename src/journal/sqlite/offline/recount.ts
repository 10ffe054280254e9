import type { DatabaseSync } from 'node:sqlite';
import { PAYLOAD_LOST } from '../../event-reasons.ts';
import { CHILD_TABLES } from '../engine/sweeps.ts';
import { setLandings } from './landing-checks.ts';

/*
 * Makes a store consistent after rows were copied to it from a damaged one: whatever can be derived
 * from the rows is recomputed.
 */

/**
 * Pending events without a body cannot be delivered and would block their lanes. Their identity is
 * forgotten, so that Capillary can send them again.
 */
function moveBodilessToDeadLetters(db: DatabaseSync, now: number): void {
  db.prepare(
    `UPDATE events SET state = 'dead', reason = ?,
       detail = 'its payload could not be read when a damaged store was salvaged',
       identity = NULL, settled_at = ?, replay = 0
     WHERE state = 'pending' AND seq NOT IN (SELECT seq FROM bodies)`,
  ).run(PAYLOAD_LOST, now);
  db.exec('UPDATE events SET kept = 0 WHERE kept = 1 AND seq NOT IN (SELECT seq FROM bodies)');
  db.exec('UPDATE events SET kept = 1 WHERE kept = 0 AND seq IN (SELECT seq FROM bodies)');
}

/** Queues events in the lane that an alias leads to. */
function followAliases(db: DatabaseSync): void {
  db.exec(`UPDATE events SET lane = a.target, own_lane = coalesce(own_lane, events.lane), head = 0 FROM aliases a
    WHERE events.state = 'pending' AND a.destination = events.destination AND a.lane = events.lane`);
}

/** An event is pending because of its refresh, or delivered and waits for it. */
function checkRefreshes(db: DatabaseSync): void {
  db.exec(`DELETE FROM refreshes WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.seq = refreshes.seq
      AND e.state = CASE running WHEN 1 THEN 'pending' ELSE 'delivered' END);
    UPDATE refreshes SET lane = a.target FROM aliases a
      WHERE a.destination = refreshes.destination AND a.lane = refreshes.lane`);
}

/** A queue with exactly one head keeps it; otherwise its oldest event becomes the head. */
export function setHeads(db: DatabaseSync): void {
  db.exec(`UPDATE events SET head = 0 WHERE state <> 'pending' AND head = 1`);
  db.exec(`UPDATE events SET head = 1 WHERE state = 'pending' AND lane IS NULL AND head = 0`);
  db.exec(`CREATE TEMP TABLE headless AS SELECT lane, destination, replay, min(seq) AS first FROM events
    WHERE state = 'pending' AND lane IS NOT NULL GROUP BY lane, destination, replay HAVING sum(head) <> 1`);
  db.exec(`UPDATE events SET head = (seq = h.first) FROM headless h WHERE events.state = 'pending'
    AND events.lane = h.lane AND events.destination = h.destination AND events.replay = h.replay`);
  db.exec('DROP TABLE headless');
}

/**
 * Recomputes the counts from the rows. Retention deletes rows of settled events but not their
 * counts, so for those the old count is used if it is higher. `old` is the readable part of the
 * damaged store's table.
 */
function setCounts(db: DatabaseSync, now: number): void {
  db.exec('CREATE TEMP TABLE old AS SELECT * FROM counts; DELETE FROM counts');
  db.prepare(
    `INSERT INTO counts (source, accepted, pending, delivered, ignored, dead, malformed, quarantined,
       quarantined_bytes)
     SELECT source, pending + delivered + ignored + dead, pending, delivered, ignored, dead, malformed,
       quarantined, bytes FROM (
       SELECT source, coalesce(r.pending, 0) AS pending,
         max(coalesce(r.delivered, 0), coalesce(old.delivered, 0)) AS delivered,
         max(coalesce(r.ignored, 0), coalesce(old.ignored, 0)) AS ignored,
         max(coalesce(r.dead, 0), coalesce(old.dead, 0)) + coalesce(r.bodiless, 0) AS dead,
         coalesce(r.malformed, 0) AS malformed,
         coalesce(q.n, 0) AS quarantined, coalesce(q.bytes, 0) AS bytes
       FROM old FULL JOIN (
         SELECT source, sum(state = 'pending') AS pending, sum(state = 'delivered') AS delivered,
           sum(state = 'ignored') AS ignored,
           sum(state = 'dead' AND NOT (reason = ?1 AND settled_at = ?2)) AS dead,
           sum(state = 'dead' AND reason = ?1 AND settled_at = ?2) AS bodiless,
           sum(state = 'malformed') AS malformed
         FROM events GROUP BY source
       ) r USING (source) FULL JOIN (
         SELECT source, count(*) AS n, sum(bytes) AS bytes FROM quarantine GROUP BY source
       ) q USING (source)
     )`,
  ).run(PAYLOAD_LOST, now);
  db.exec(`DROP TABLE old; DELETE FROM backlog;
    INSERT INTO backlog (destination, pending, replaying)
    SELECT destination, count(*), sum(replay) FROM events WHERE state = 'pending' GROUP BY destination`);
}

/** Contacts of a destination whose row is lost are counted again from zero. */
function setContactCounts(db: DatabaseSync): void {
  db.exec(`DELETE FROM contacts WHERE scope NOT IN (SELECT id FROM contact_scopes);
    INSERT OR IGNORE INTO contact_scopes (destination) SELECT DISTINCT destination FROM shared_contacts;
    INSERT OR IGNORE INTO contacts (scope, key, customer)
      SELECT id, key, -1 FROM shared_contacts JOIN contact_scopes USING (destination);
    UPDATE contact_scopes SET counted = (SELECT count(*) FROM contacts WHERE scope = contact_scopes.id),
      shared = (SELECT count(*) FROM shared_contacts c WHERE c.destination = contact_scopes.destination)`);
}

/** Makes the store consistent with the rows that exist. */
export function recount(db: DatabaseSync, now: number): void {
  db.exec('BEGIN');
  for (const table of CHILD_TABLES) db.exec(`DELETE FROM ${table} WHERE seq NOT IN (SELECT seq FROM events)`);
  moveBodilessToDeadLetters(db, now);
  followAliases(db);
  checkRefreshes(db);
  setHeads(db);
  setCounts(db, now);
  setLandings(db);
  setContactCounts(db);
  db.exec('COMMIT');
}

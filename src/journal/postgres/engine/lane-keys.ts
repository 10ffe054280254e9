import { hash } from 'node:crypto';
import { SLOTS } from '../../fleet.ts';

/*
 * Keys of 32 bits for narrow indexes. They are stored, so these functions cannot change without a
 * migration. Callers compare the complete value of what they find.
 */

/** A signed integer of 32 bits, as PostgreSQL stores it. */
export function keyOfText(text: string): number {
  return hash('sha256', text, 'buffer').readInt32BE(0);
}

export function keyOrNull(text: string | undefined): number | null {
  return text === undefined ? null : keyOfText(text);
}

/**
 * The key of a lane. A lane is usually a hash in hex digits, of which the first 8 are used.
 * @param identity hex digits of an event without a lane, whose key spreads it over the slots
 */
export function laneKeyOf(lane: string | null, identity: string): number {
  const text = lane ?? identity;
  return /^[0-9a-f]{64}$/u.test(text) ? Number.parseInt(text.slice(0, 8), 16) | 0 : keyOfText(text);
}

/** The slot of a lane key: 0 to 63. */
export function slotOf(laneKey: number): number {
  return laneKey & (SLOTS - 1);
}

function integerSql(hex: string): string {
  return `('x' || ${hex})::bit(32)::integer`;
}

/** SQL of `laneKeyOf` of a lane that is not null. */
export function laneKeySql(lane: string): string {
  const prefix = `encode(substring(sha256(convert_to(${lane}, 'UTF8')) FROM 1 FOR 4), 'hex')`;
  return `CASE WHEN ${lane} ~ '^[0-9a-f]{64}$' THEN ${integerSql(`left(${lane}, 8)`)}
    ELSE ${integerSql(prefix)} END`;
}

import { channel } from 'node:diagnostics_channel';

/**
 * Points between two steps that must not be separated by a crash. Crash tests kill the process
 * there; nothing else subscribes.
 */
const FAILPOINTS = [
  /** Storage thread: every call of a batch has run, nothing is committed yet. */
  'journal-committing',
  /** Storage thread: the intake log is written, but not synced. The detail is the file's handle. */
  'journal-writing-log',
  /** Storage thread: a file of the store has been synced. The detail is its handle. */
  'journal-synced',
  /** Storage thread: a batch is on disk, but no caller has been answered. */
  'journal-committed',
  /** Storage thread: within a migration and after it. */
  'journal-migrating',
  /** Storage thread: between two removals of one retention step. */
  'journal-retaining',
  /** Storage thread: between two payloads of one re-encryption step. */
  'journal-reencrypting',
  /** An event is in the journal, but the webhook is not answered. */
  'intake-appended',
  /** Events are claimed, but nothing is sent. */
  'delivery-claimed',
  /** Adobe has answered for an event, but its outcome is not recorded. */
  'delivery-answered',
  /** A token is about to be requested from IMS. */
  'token-minting',
  /** IMS has answered, but the token is not in use yet. */
  'token-minted',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** The failpoint's channel name in node:diagnostics_channel. */
function channelOf(name: Failpoint): string {
  return `capillary-relay:${name}`;
}

const CHANNELS = new Map(FAILPOINTS.map((name) => [name, channel(channelOf(name))]));

/** Publishes that the process has reached this failpoint. Nearly free without a subscriber. */
export function hitFailpoint(name: Failpoint, detail?: unknown): void {
  const target = CHANNELS.get(name);
  if (target?.hasSubscribers) target.publish(detail);
}

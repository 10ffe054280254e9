import { channel } from 'node:diagnostics_channel';

/**
 * The instants at which a crash would tell most: between two steps that must not come apart. The tests of crashes end the process at them;
 * nobody else listens.
 */
export const FAILPOINTS = [
  /** In the store's thread: every call of a batch is carried out, nothing is committed yet. */
  'journal-committing',
  /** In the store's thread: a batch is on the disk and nobody knows of it. */
  'journal-committed',
  /** In the store's thread: within a migration and after it. */
  'journal-migrating',
  /** In the store's thread: between two removals of one step of retention. */
  'journal-retaining',
  /** In the store's thread: between two payloads of one step of sealing anew. */
  'journal-sealing',
  /** An event is journaled and not answered. */
  'intake-appended',
  /** Events are claimed and nothing of them is sent. */
  'delivery-claimed',
  /** Adobe has answered for an event and the outcome is not recorded. */
  'delivery-answered',
  /** IMS is about to be asked for a token. */
  'token-minting',
  /** IMS has answered and nobody has the token yet. */
  'token-minted',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** Name of a moment's channel in node:diagnostics_channel. */
export function channelOf(name: Failpoint): string {
  return `capillary-relay:${name}`;
}

const CHANNELS = new Map(FAILPOINTS.map((name) => [name, channel(channelOf(name))]));

/** Publishes that the process passes this moment. Costs next to nothing while nobody subscribes. */
export function hitFailpoint(name: Failpoint, detail?: unknown): void {
  const at = CHANNELS.get(name);
  if (at?.hasSubscribers) at.publish(detail);
}

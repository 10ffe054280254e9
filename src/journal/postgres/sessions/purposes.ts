import type { Purpose } from './session.ts';

/** After it the server cancels a statement, and a second later the connection is given up. */
export const STATEMENT_LIMIT_MS: Readonly<Record<Purpose, number>> = {
  append: 5_000,
  settle: 10_000,
  claim: 10_000,
  work: 20_000,
  fleet: 2_000,
};
export const PURPOSES: readonly Purpose[] = ['fleet', 'append', 'settle', 'claim', 'work'];
const MIN_CONNECTIONS = 4;
/** From this number of connections on, claims do not share the one of settlements. */
const CLAIMING_FROM = 5;
/** From this number of connections on, two of them append. */
const TWO_APPENDING_FROM = 6;

/** How many of all connections each purpose has. Without one, claims use that of settlements. */
export function countsOf(connections: number): Readonly<Record<Purpose, number>> {
  const total = Math.max(MIN_CONNECTIONS, connections);
  const append = total >= TWO_APPENDING_FROM ? 2 : 1;
  const claim = total >= CLAIMING_FROM ? 1 : 0;
  return { append, settle: 1, claim, fleet: 1, work: total - append - claim - 2 };
}

interface Counted {
  /** Open connections. */
  readonly connected: number;
  /** Connections that are being opened. */
  readonly connecting: number;
}

/**
 * Whether a purpose may open a connection now. If the server accepts too few, each purpose gets
 * one before another gets its second.
 */
export function mayConnect(purpose: Purpose, groups: Readonly<Record<Purpose, Counted>>): boolean {
  const { connected, connecting } = groups[purpose];
  return connected + connecting === 0 || PURPOSES.every((other) => groups[other].connected > 0);
}

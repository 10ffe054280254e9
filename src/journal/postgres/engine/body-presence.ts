/*
 * Whether the body of an event is stored. `events` has no column for it, because retention drops
 * whole partitions of bodies. Not EXISTS, of which the planner can make a hash of all bodies.
 */

function bodySql(event: string, lock = ''): string {
  return `coalesce(
    (SELECT true FROM bodies AS stored WHERE stored.seq = ${event}.seq AND stored.day = ${event}.day${lock}), false)`;
}

/**
 * SQL that is true for events whose body is stored now.
 * @param event the alias of `events` in the statement
 */
export function hasBodySql(event: string): string {
  return bodySql(event);
}

/**
 * The same for who makes an event pending again: the body stays until the transaction ends, or it
 * is gone already. Whoever drops a partition of bodies locks it against these locks before.
 */
export function keepsBodySql(event: string): string {
  return bodySql(event, ' FOR KEY SHARE');
}

/** SQL of what a row of `bodies` adds to the stored bytes. @param b its alias */
export function storedBytesSql(b: string): string {
  return `octet_length(${b}.body) + coalesce(octet_length(${b}.entities), 0)`;
}

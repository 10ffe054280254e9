/**
 * SQL that is true for events whose body is stored.
 *
 * `events` has no column for it, because retention drops whole partitions of bodies. It does so
 * under a lock that excludes all readers of `bodies`. So whoever makes an event pending again has
 * to test this in the same transaction: then the body stays.
 * Not EXISTS, of which the planner can make a hash of all bodies.
 * @param event the alias of `events` in the statement
 */
export function hasBodySql(event: string): string {
  return `coalesce(
    (SELECT true FROM bodies AS stored WHERE stored.seq = ${event}.seq AND stored.day = ${event}.day), false)`;
}

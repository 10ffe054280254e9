/*
 * What a row of `refreshes` means. `is_running` alone says that its event was made pending; whether
 * it still is, its event says (enrichment-tables.ts). Not EXISTS, of which the planner can make a
 * hash of all events.
 */

/**
 * SQL that is true if the event is pending because of the row.
 * @param r the alias of `refreshes`
 * @param e the alias of its event in `events`
 */
export function isRunningSql(r: string, e: string): string {
  return `${r}.is_running AND ${e}.state = 'p' AND ${e}.is_replay AND ${e}.replays = ${r}.replays`;
}

/** SQL that is true if the row is over. @param r the alias of `refreshes` */
export function isOverSql(r: string): string {
  return `(${r}.is_running AND NOT coalesce((SELECT ${isRunningSql(r, 'own')} FROM events AS own
    WHERE own.receipt = ${r}.receipt AND own.day = ${r}.day), false))`;
}

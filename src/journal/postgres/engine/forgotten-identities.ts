/**
 * SQL that remembers up to when identities were forgotten: the newest receipt of an event whose
 * identity goes in this statement. It changes nothing if there is none.
 * @param newest an aggregate over the relation, in epoch ms
 */
export function markForgottenSql(from: string, newest: string): string {
  return `INSERT INTO marks (name, at) SELECT 'known-since', ${newest} + 1 FROM ${from}
    HAVING ${newest} IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE marks.at < excluded.at`;
}

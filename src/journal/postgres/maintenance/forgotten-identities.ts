/**
 * SQL that remembers until when events were received whose identity is forgotten; see `knownSince`.
 * It changes nothing if there are none.
 * @param from what is removed
 * @param newest an aggregate over it, in epoch ms
 * @param now if a clock that was ahead can have received it
 */
export function markForgottenSql(from: string, newest: string, now?: string): string {
  // `least` ignores what is null.
  const upTo = now === undefined ? newest : `least(${newest}, ${now})`;
  return `INSERT INTO marks (name, at) SELECT 'known-since', ${upTo} + 1 FROM ${from}
    HAVING ${newest} IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE marks.at < excluded.at`;
}

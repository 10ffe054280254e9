const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** ISO 8601 as the admin API gives it → `2026-08-19 07:30:00Z`; nothing for what is absent. */
export function formatMoment(iso: string | undefined): string {
  return formatInstant(iso).replace(/\.\d+Z$/, 'Z');
}

/** The same with its milliseconds. */
export function formatInstant(iso: string | undefined): string {
  return iso?.replace('T', ' ') ?? '';
}

/** A span of ms as a person says it: `350 ms`, `12 s`, `5 min`, `3 h 20 min`, `2 d 4 h`. */
export function formatSpan(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} min`;
  return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
}

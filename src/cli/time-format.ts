const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** ISO 8601 as in the admin API → `2026-08-19 07:30:00Z`; an empty string if absent. */
export function formatTime(iso: string | undefined): string {
  return formatPreciseTime(iso).replace(/\.\d+Z$/, 'Z');
}

/** Like formatTime, with milliseconds. */
export function formatPreciseTime(iso: string | undefined): string {
  return iso?.replace('T', ' ') ?? '';
}

/** How long ago something was, in whole seconds; at least one. */
export function formatAge(ms: number): string {
  return formatDuration(Math.max(1_000, ms));
}

/** A duration in ms as text: `350 ms`, `12 s`, `5 min`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < MINUTE_S) return `${seconds} s`;
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min`;
  if (seconds < DAY_S)
    return `${Math.floor(seconds / HOUR_S)} h ${Math.floor((seconds % HOUR_S) / MINUTE_S)} min`;
  return `${Math.floor(seconds / DAY_S)} d ${Math.floor((seconds % DAY_S) / HOUR_S)} h`;
}

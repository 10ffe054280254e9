export type Level = 'ok' | 'warn' | 'fail';

/** One thing that was looked at before go-live. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  /** What was found; never a token or a secret. */
  readonly detail: string;
  /** What to do about it, unless it is ok. */
  readonly cure?: string;
}

export function ok(check: string, detail: string): Finding {
  return { check, level: 'ok', detail };
}

export function warn(check: string, detail: string, cure: string): Finding {
  return {
    check,
    level: 'warn',
    detail,
    cure,
  };
}

export function fail(check: string, detail: string, cure: string): Finding {
  return {
    check,
    level: 'fail',
    detail,
    cure,
  };
}

/** Code of a system error such as EACCES, else its message. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes as a person says them: `900 B`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const count = bytes / 1_024 ** power;
  return `${Number.isInteger(count) ? count : count.toFixed(1)} ${UNITS[power]}`;
}

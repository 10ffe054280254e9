export type Level = 'ok' | 'warn' | 'fail';

/** Result of one check; printed with --json. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  /** Never a token or a secret. */
  readonly detail: string;
  /** How to fix it; absent if it is ok. */
  readonly fix?: string;
}

export function ok(check: string, detail: string): Finding {
  return { check, level: 'ok', detail };
}

export function warn(check: string, detail: string, fix: string): Finding {
  return {
    check,
    level: 'warn',
    detail,
    fix,
  };
}

export function fail(check: string, detail: string, fix: string): Finding {
  return {
    check,
    level: 'fail',
    detail,
    fix,
  };
}

/** Code of a system error such as EACCES; for any other error its text. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A number of bytes as text: `900 B`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const count = bytes / 1_024 ** power;
  return `${Number.isInteger(count) ? count : count.toFixed(1)} ${UNITS[power]}`;
}

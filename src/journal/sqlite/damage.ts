/** SQLite's CORRUPT and NOTADB. */
const DAMAGED: readonly number[] = [11, 26];

/** The primary result code of an error of SQLite; undefined for any other error. */
export function primaryCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

/** True when the file itself is not what it was written as. Waiting does not mend that. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code !== undefined && DAMAGED.includes(code);
}

/** What an operator can do about a damaged file. */
export const WAY_OUT =
  'with the relay stopped, `capillary-relay store verify` says what is wrong and `capillary-relay store salvage --to FOLDER` copies ' +
  'all that can be read into a new store; or put back a copy that `capillary-relay store backup` made';

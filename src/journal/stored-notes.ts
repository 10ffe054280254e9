import type { RecordedNote } from './settlement.ts';
import { isReadable, type Unreadable } from './payload-cipher.ts';

/** Bounds of the notes stored with one event. */
const MAX_NOTES = 100;
const MAX_PATH_LENGTH = 300;

/** The stored form: pairs of path and code. */
type NotePairs = readonly (readonly [string, string])[];

/** What is to be encrypted and stored; undefined if there are no notes. */
export function notesToStore(notes: readonly RecordedNote[] | undefined): Buffer | undefined {
  if (notes === undefined || notes.length === 0) return undefined;
  const pairs: NotePairs = notes
    .slice(0, MAX_NOTES)
    .map(({ path, code }) => [path.slice(0, MAX_PATH_LENGTH), code]);
  return Buffer.from(JSON.stringify(pairs), 'utf8');
}

/** @param plain as the cipher decrypted it */
export function notesOf(plain: Buffer | Unreadable): RecordedNote[] | Unreadable {
  if (!isReadable(plain)) return plain;
  try {
    return (JSON.parse(plain.toString('utf8')) as NotePairs).map(([path, code]) => ({ path, code }));
  } catch {
    return 'damaged';
  }
}

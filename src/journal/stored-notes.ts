import type { RecordedNote } from './settlement.ts';
import { isReadable, type Unreadable } from './payload-cipher.ts';

/** Bounds of the notes stored with one event. */
const MAX_NOTES = 100;
const MAX_PATH_LENGTH = 300;
const MAX_DETAIL_LENGTH = 300;

/** The stored form: path, code, and a detail if there is one. */
type NoteTuples = readonly (readonly [path: string, code: string, detail?: string])[];

/** What is to be encrypted and stored; undefined if there are no notes. */
export function notesToStore(notes: readonly RecordedNote[] | undefined): Buffer | undefined {
  if (notes === undefined || notes.length === 0) return undefined;
  const tuples: NoteTuples = notes.slice(0, MAX_NOTES).map(({ path: long, code, detail }) => {
    const path = long.slice(0, MAX_PATH_LENGTH);
    return detail === undefined ? [path, code] : [path, code, detail.slice(0, MAX_DETAIL_LENGTH)];
  });
  return Buffer.from(JSON.stringify(tuples), 'utf8');
}

/** @param plain as the cipher decrypted it */
export function notesOf(plain: Buffer | Unreadable): RecordedNote[] | Unreadable {
  if (!isReadable(plain)) return plain;
  try {
    return (JSON.parse(plain.toString('utf8')) as NoteTuples).map(([path, code, detail]) =>
      detail === undefined ? { path, code } : { path, code, detail },
    );
  } catch {
    return 'damaged';
  }
}

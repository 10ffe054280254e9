import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A file beside the store that says what the store holds. It is hidden, so that it remains when the
 * visible files of the folder are removed.
 */
export const MARKER_FILE = '.relay-store';

/** What a store held at some time; it never holds less later. */
export interface StoreMarker {
  /** ISO time. */
  readonly at: string;
  /** Events accepted from all sources until then. */
  readonly accepted: number;
}

/** Undefined if the folder has none, or none that can be read. */
export function readMarker(folder: string): StoreMarker | undefined {
  try {
    const { at, accepted } = JSON.parse(readFileSync(join(folder, MARKER_FILE), 'utf8')) as StoreMarker;
    return typeof at === 'string' && Number.isSafeInteger(accepted) ? { at, accepted } : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the marker in one step. @throws the error of the system */
export function writeMarker(folder: string, accepted: number): void {
  const marker: StoreMarker = { at: new Date().toISOString(), accepted };
  const file = join(folder, MARKER_FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(marker)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Why a store holds less than it should; undefined if it does not. */
export function describeShortfall(marker: StoreMarker | undefined, accepted: number): string | undefined {
  if (marker === undefined || accepted >= marker.accepted) return undefined;
  return (
    `the store holds ${accepted} accepted events, but had ${marker.accepted} on ${marker.at}: ` +
    'relay.db was emptied, replaced by another file, or lost its newest part'
  );
}

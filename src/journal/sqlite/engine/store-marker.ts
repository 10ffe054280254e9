import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './sqlite-engine.ts';
import { ledger } from './counts.ts';
import { MARKER_FILE } from './store-folder.ts';

/** What a store held at some time; it never holds less later. */
export interface StoreMarker {
  /** ISO time. */
  readonly at: string;
  /** Events accepted from all sources until then. */
  readonly accepted: number;
  /** Salvage has written it, and has reported what the store lacks of it. */
  readonly salvaged?: boolean;
}

/** Undefined if the folder has none, or none that can be read. */
export function readMarker(folder: string): StoreMarker | undefined {
  try {
    const { at, accepted, salvaged } = JSON.parse(
      readFileSync(join(folder, MARKER_FILE), 'utf8'),
    ) as StoreMarker;
    return typeof at === 'string' && Number.isSafeInteger(accepted)
      ? { at, accepted, salvaged: salvaged === true }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the marker in one step. @throws the error of the system */
export function writeMarker(folder: string, accepted: number, salvaged?: boolean): void {
  const marker: StoreMarker = { at: new Date().toISOString(), accepted, salvaged };
  const file = join(folder, MARKER_FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(marker)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function acceptedIn(engine: Engine): number {
  return Object.values(ledger(engine)).reduce((sum, { accepted }) => sum + accepted, 0);
}

/** Writes what the engine holds now. A folder that cannot be written is reported by other calls. */
export function keepMarker(engine: Engine, folder: string): void {
  try {
    writeMarker(folder, acceptedIn(engine));
  } catch {
    // The marker of before remains.
  }
}

/**
 * Notifies the operator if a store that was just opened holds less than its marker says, unless
 * salvage has said so already.
 */
export function checkMarker(engine: Engine, folder: string): void {
  const marker = readMarker(folder);
  if (marker?.salvaged === true) return;
  const message = describeShortfall(marker, acceptedIn(engine));
  if (message !== undefined) engine.notify({ message });
}

/** Why a store holds less than it should; undefined if it does not. */
export function describeShortfall(marker: StoreMarker | undefined, accepted: number): string | undefined {
  if (marker === undefined || accepted >= marker.accepted) return undefined;
  return (
    `the store holds ${accepted} accepted events, but had ${marker.accepted} on ${marker.at}: ` +
    (marker.salvaged === true
      ? 'salvage could not read the others in the old store'
      : 'relay.db was removed, emptied or replaced, or has lost its newest part')
  );
}

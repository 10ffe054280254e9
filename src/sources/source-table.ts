import type { SourceConfig } from '../config/schema.ts';
import { createSourceVerifier } from './source-verifier.ts';
import type { SourceVerifier } from './verifier.ts';

export interface IntakeSource {
  readonly config: SourceConfig;
  readonly verifier: SourceVerifier;
}

/** The sources by name. `set` takes mended secrets without a restart. */
export interface SourceTable {
  get(name: string): IntakeSource | undefined;
  set(sources: readonly SourceConfig[]): void;
}

export function createSourceTable(sources: readonly SourceConfig[]): SourceTable {
  let table = new Map<string, IntakeSource>();
  const set = (next: readonly SourceConfig[]): void => {
    table = new Map(next.map((config) => [config.name, { config, verifier: createSourceVerifier(config) }]));
  };
  set(sources);
  return { get: (name) => table.get(name), set };
}

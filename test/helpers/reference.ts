import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { reportSkip } from './report-skip.ts';

/**
 * Third-party material that is not part of this repository: Adobe's schema files (adobe/xdm,
 * CC BY 4.0), documented payloads, the list of Capillary's events.
 */
const REFERENCE = fileURLToPath(new URL('../../../shared/reference/', import.meta.url));

export type ReferencePart = 'xdm/' | 'events/' | 'capillary.md';

/**
 * Path of a part of the reference material; undefined if it is absent, with a printed line that
 * `checks` is skipped.
 * @throws Error instead if REQUIRE_REFERENCE is set, as `.ci/run` does where the folder exists
 */
export function referencePath(part: ReferencePart, checks: string): string | undefined {
  const path = REFERENCE + part;
  if (existsSync(path)) return path;
  if (process.env['REQUIRE_REFERENCE']) throw new Error(`${checks} must not be skipped: ${path} is absent`);
  reportSkip(checks, `${path} is absent`);
  return undefined;
}

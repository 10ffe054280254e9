import type { PlatformResult } from '../../../adobe/platform/platform-client.ts';
import { describePlatformError, type PlatformError } from '../../../adobe/platform/platform-error.ts';
import { type Finding, fail } from '../../doctor/finding.ts';
import { platformFix } from '../provision-stop.ts';

/** A value of the platform, or the finding that says why it could not be read. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly finding: Finding };

/** Names of the checks of one destination: `token/acme-aep`. */
export function checkName(check: string, destination: string): string {
  return `${check}/${destination}`;
}

/**
 * Why something could not be read. What the role lacks is a finding of its own, whatever was to be
 * read, so that it is listed once.
 */
export function readFailure(check: string, destination: string, error: PlatformError): Finding {
  const { gap, kind } = error;
  if (gap !== undefined)
    return fail(
      checkName('access', destination),
      `${gap.missing} (${describePlatformError(error)})`,
      gap.fix,
    );
  const name = kind === 'token' ? 'token' : check;
  return fail(
    checkName(name, destination),
    describePlatformError(error),
    platformFix(error) ?? 'give the call and its x-request-id to Adobe',
  );
}

export function readingOf<T>(check: string, destination: string, result: PlatformResult<T>): Reading<T> {
  return result.ok
    ? { ok: true, value: result.value }
    : { ok: false, finding: readFailure(check, destination, result.error) };
}

/** The calls of one missing permission differ, and its fix names it. */
function keyOf({ check, level, detail, fix = '' }: Finding): string {
  const isGap = check.startsWith('access/') && level === 'fail';
  return `${check} ${level} ${isGap ? fix : detail}`;
}

/** Each finding once: a permission that several reads lack is one problem. */
export function distinctFindings(findings: readonly Finding[]): Finding[] {
  const first = findings.toReversed().map((finding) => [keyOf(finding), finding] as const);
  return [...new Map(first).values()].toReversed();
}

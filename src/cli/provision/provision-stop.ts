import type { PlatformError, PlatformErrorKind } from '../../adobe/platform/platform-error.ts';
import { CommandError } from '../command-error.ts';
import { NETWORK_FIX, tokenFix } from '../connection-check.ts';
import { StepFailure, type Step } from './provision-step.ts';

/** What helps after most failures. */
export const RUN_AGAIN = 'run the same command again: it continues at this step';

/**
 * An object of the state file is found by its id, so a new name alone does not make another one.
 */
export function makeAnother(what: string, key: string): string {
  return `rename ${what} in AEP and remove "${key}" from the state file; then run the same command again: it makes another one`;
}

/** The step at which a run has stopped. */
export class StepError extends Error {
  override name = 'StepError';
  readonly step: Step;
  readonly fix: string;

  constructor(step: Step, message: string, fix: string) {
    super(message);
    this.step = step;
    this.fix = fix;
  }
}

/** Where a run has stopped, and how to go on; a part of the output of --json. */
export interface ProvisionStop {
  readonly destination: string;
  /** The kind of the object, such as `dataset`; absent before the first step. */
  readonly kind?: string;
  readonly name?: string;
  readonly message: string;
  readonly fix: string;
}

const FIXES: Readonly<Partial<Record<PlatformErrorKind, string>>> = {
  unauthorized:
    'the token is of another organisation, API or environment: compare imsOrgId and `ims` with the credential in the Developer Console',
  foreign:
    'something else answers in place of Adobe: compare platform.url with https://platform.adobe.io, and check the proxy between this machine and Adobe',
  throttled: 'Adobe limits the calls of the credential: try again later',
  unavailable: 'the service fails: try again later, and give the x-request-id to Adobe if it goes on',
  conflict: 'an object that does not belong to this destination has the name already: rename it in AEP',
  'not-found': 'compare imsOrgId, sandbox and platform.url with AEP',
  invalid: 'Adobe refuses it for the reason that it gives: correct that',
  network: NETWORK_FIX,
};

/** By Adobe's code (docs/platforms/adobe.md#union-schemas). */
const FIXES_BY_CODE: Readonly<Record<string, string>> = {
  'XDM-1413-400':
    'all schemas of a class that are enabled for Profile share their fields, and another one has this field with another type: rename or remove it there, or use another sandbox',
};

/** What helps after a failed call; undefined if only Adobe's own text says more. */
export function platformFix({ kind, code, gap }: PlatformError): string | undefined {
  if (kind === 'token') return tokenFix(code ?? '');
  return gap?.fix ?? FIXES_BY_CODE[code ?? ''] ?? FIXES[kind];
}

/** How to go on after a failed call. */
export function fixOf({ error }: StepFailure): string {
  const fix = platformFix(error);
  if (fix === undefined) return RUN_AGAIN;
  const lack = error.gap === undefined ? '' : `${error.gap.missing}: `;
  return `${lack}${fix}; then ${RUN_AGAIN}`;
}

/** Undefined for an error that has nothing to do with Adobe, such as one of the state file. */
export function stopOf(destination: string, error: unknown): ProvisionStop | undefined {
  if (error instanceof StepFailure) return { destination, message: error.message, fix: fixOf(error) };
  if (!(error instanceof StepError)) return undefined;
  const { step, message, fix } = error;
  return { destination, kind: step.kind, name: step.name, message, fix };
}

/** The error that ends the command. */
export function stopError({ destination, kind, name, message, fix }: ProvisionStop): CommandError {
  const where = kind === undefined ? '' : ` at the ${kind} ${name}`;
  return new CommandError(`destination ${destination} stopped${where}: ${message}; fix: ${fix}`);
}

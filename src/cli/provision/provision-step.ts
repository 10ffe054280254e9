import type { PlatformResult } from '../../adobe/platform/platform-client.ts';
import { describePlatformError, type PlatformError } from '../../adobe/platform/platform-error.ts';

/** What a step provides, as people call it. */
export type StepKind =
  | 'tenant id'
  | 'namespace'
  | 'field group'
  | 'schema'
  | 'dataset'
  | 'connection'
  | 'source connection'
  | 'target connection'
  | 'mapping set'
  | 'dataflow';

/** How an existing object differs from what the configuration needs. */
export interface Difference {
  readonly what: string;
  /** Of an object of our own: makes the change, and throws a StepFailure. */
  readonly change?: () => Promise<void>;
  /** Of any other object, or if no change is possible: what a person has to do. */
  readonly fix?: string;
}

/** What exists already. */
export type Looked =
  | {
      readonly state: 'found';
      readonly id: string;
      readonly name: string;
      /** Made by `provision`, by the state file or the marker; only such objects are changed. */
      readonly isOurs: boolean;
      readonly differences: readonly Difference[];
      /** Epoch ms at which a dataflow was made or last changed. */
      readonly changedAt?: number;
    }
  | { readonly state: 'absent' }
  | {
      /** It cannot be made either. */
      readonly state: 'blocked';
      readonly what: string;
      readonly fix: string;
    };

export const ABSENT: Looked = { state: 'absent' };

/** One object that has to exist. */
export interface Step {
  /** Unique in a destination and stable, for the state file: `schema:event`. */
  readonly key: string;
  readonly kind: StepKind;
  /** Of the object, with its marker if it has one. */
  readonly name: string;
  /** Only reads. Throws a StepFailure. */
  look(): Promise<Looked>;
  /**
   * Makes the object, whose dependencies exist. Throws a StepFailure.
   * @returns its id
   */
  make(): Promise<string>;
}

/** A call that a step needs has failed. */
export class StepFailure extends Error {
  override name = 'StepFailure';
  readonly error: PlatformError;

  constructor(error: PlatformError) {
    super(describePlatformError(error));
    this.error = error;
  }
}

/** @throws StepFailure */
export function valueOf<T>(result: PlatformResult<T>): T {
  if (result.ok) return result.value;
  throw new StepFailure(result.error);
}

import { accept, type Acceptance } from '../../intake/accept.ts';
import type { AcceptParts } from '../../intake/accept-array.ts';
import type { Admission } from '../../intake/admission.ts';
import { ProblemError } from '../../http/problems.ts';
import { loggedRequest } from '../../sources/logged-request.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { RunEnded } from './call-problem.ts';

export interface LogIntakeParts extends Pick<AcceptParts, 'journal'> {
  /** Maximum size of an inflated body in bytes, as it is configured at the time of the call. */
  readonly bodyLimit: () => number;
  readonly source: SourceConfig;
  readonly admission: Pick<Admission, 'refusal' | 'admit'>;
  /** Epoch ms. */
  readonly now: () => number;
}

/** Takes payloads of the delivery log through the ordinary intake. */
export interface LogIntake {
  /**
   * In their order. What was stored stays, also if it ends early.
   * @throws RunEnded if the store has no space; StoreError if it failed
   */
  take(bodies: readonly string[]): Promise<readonly Acceptance[]>;
}

const FIXES: Readonly<Record<string, string>> = {
  'store-full': 'make room (docs/runbook.md, RelayStoreNearFull); the next run goes on where this one ended',
};

function ended({ code, detail }: { readonly code: string; readonly detail?: string | undefined }): RunEnded {
  const fix = FIXES[code];
  const text = `events of the log could not be taken: ${detail ?? code}`;
  return new RunEnded({ code, detail: text, ...(fix === undefined ? {} : { fix }) });
}

export function createLogIntake(parts: LogIntakeParts): LogIntake {
  const { journal, source, admission, bodyLimit, now } = parts;

  const admit = async (bytes: number, events = 1): Promise<void> => {
    const refusal = admission.refusal() ?? (await admission.admit(bytes, events));
    if (refusal !== undefined) throw ended(refusal);
  };

  return {
    async take(bodies) {
      const started: Promise<Acceptance>[] = [];
      try {
        for (const text of bodies) {
          const body = Buffer.from(text, 'utf8');
          await admit(body.length);
          const one = accept({ journal, bodyLimit: bodyLimit(), admit }, source, loggedRequest(body, now()));
          // It is awaited below, together with those that the journal commits with it.
          one.catch(() => undefined);
          started.push(one);
        }
      } finally {
        await Promise.allSettled(started);
      }
      try {
        return await Promise.all(started);
      } catch (error) {
        throw error instanceof ProblemError ? ended({ code: error.code, detail: error.message }) : error;
      }
    },
  };
}

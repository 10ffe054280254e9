import type { CapillaryEvent } from '../capillary/event.ts';
import { toStoredBody } from '../capillary/body-text.ts';
import { parseBody } from '../capillary/event-parser.ts';
import type { SourceConfig } from '../config/config-schema.ts';
import { hitFailpoint } from '../telemetry/failpoints.ts';
import type { VerifiedRequest } from '../sources/verifier.ts';
import { type AcceptParts, appendElements, type BadElement, storeBadElements } from './accept-array.ts';
import { inflateBody, isCoded } from './content-coding.ts';
import { differsFromFirst, type DuplicateCounts } from './duplicates.ts';
import { appendEvent, type Origin, storeMalformed, toNewEvent } from './new-event.ts';

export { toNewEvent } from './new-event.ts';

/** A verified request, also one that leaves the quarantine. */
export type AcceptedRequest = VerifiedRequest & Pick<Origin, 'released'>;

/** The outcome of a verified request. */
export type Acceptance =
  | { readonly status: 'accepted'; readonly receipt: string; readonly event: CapillaryEvent }
  | {
      readonly status: 'duplicate';
      /** The receipt of the first. */
      readonly receipt: string;
      readonly event: CapillaryEvent;
      /** Whether its data differs from that of the first; undefined if that is gone. */
      readonly differs: boolean | undefined;
    }
  /** An array with at least one event. */
  | {
      readonly status: 'array';
      /** Of its events, in their order. */
      readonly receipts: readonly string[];
      /** Number of new events by name. */
      readonly accepted: ReadonlyMap<string, number>;
      readonly duplicates: DuplicateCounts;
      /** Of what is not an event. */
      readonly malformed: readonly string[];
    }
  | {
      readonly status: 'malformed';
      readonly receipt: string;
      readonly code: BadElement['code'] | 'body-too-large';
      readonly detail: string;
    };

/**
 * Journals a verified request as one or more events, or as a malformed body for inspection.
 * Resolves once everything is durable.
 * @throws StoreError if the journal could not store it; ProblemError if there is no space
 */
export function accept(
  parts: AcceptParts,
  source: SourceConfig,
  request: AcceptedRequest,
): Promise<Acceptance> {
  return isCoded(request.body, request.headers['content-encoding'])
    ? acceptCoded(parts, source, request)
    : acceptBody(parts, source, request, request.body);
}

async function acceptCoded(
  parts: AcceptParts,
  source: SourceConfig,
  request: AcceptedRequest,
): Promise<Acceptance> {
  const { body, headers } = request;
  const inflated = await inflateBody(body, headers['content-encoding'], parts.bodyLimit);
  switch (inflated.outcome) {
    case 'inflated':
      await parts.admit?.(inflated.body.length, 1);
      return acceptBody(parts, source, request, inflated.body);
    case 'too-large': {
      const detail = `the body inflates to more than ${parts.bodyLimit} bytes (server.bodyLimit)`;
      return refuseBody(parts, source, request, { body, code: 'body-too-large', detail });
    }
    case 'unreadable':
      return refuseBody(parts, source, request, { body, code: 'not-json', detail: inflated.detail });
  }
}

/** `received`: the body without content coding. */
async function acceptBody(
  parts: AcceptParts,
  source: SourceConfig,
  request: AcceptedRequest,
  received: Buffer,
): Promise<Acceptance> {
  const body = toStoredBody(received, request.headers['content-type']);
  const parsed = parseBody(body, { orgIds: source.orgIds, timezone: source.timezone });
  if ('elements' in parsed) return acceptArray(parts, source, request, body, parsed.elements());
  if (!parsed.ok) return refuseBody(parts, source, request, { body, ...parsed });
  const { receivedAt, verifiedBy, released } = request;
  const event = toNewEvent(parsed.event, source, { receivedAt, verifiedBy, released, body });
  const appended = await appendEvent(parts.journal, event);
  const { receipt } = appended;
  hitFailpoint('intake-appended');
  if (!appended.duplicate) return { status: 'accepted', receipt, event: parsed.event };
  const differs = await differsFromFirst(parts.journal, appended, event);
  return { status: 'duplicate', receipt, event: parsed.event, differs };
}

async function acceptArray(
  parts: AcceptParts,
  source: SourceConfig,
  origin: AcceptedRequest,
  body: Uint8Array,
  elements: Iterable<Uint8Array>,
): Promise<Acceptance> {
  const array = { source, origin, body, elements };
  const outcome = await appendElements(parts, array);
  const { receipts, accepted, duplicates, bad, badCount } = outcome;
  const [first] = bad;
  if (receipts.length === 0 && first !== undefined) {
    const detail = `no element of the array is an event (${badCount}); the first: ${first.detail}`;
    return refuseBody(parts, source, origin, { body, code: first.code, detail });
  }
  const malformed = await storeBadElements(parts, array, outcome);
  hitFailpoint('intake-appended');
  return { status: 'array', receipts, accepted, duplicates, malformed };
}

async function refuseBody(
  { journal }: AcceptParts,
  source: SourceConfig,
  origin: AcceptedRequest,
  malformed: {
    readonly body: Uint8Array;
    readonly code: Extract<Acceptance, { status: 'malformed' }>['code'];
    readonly detail: string;
  },
): Promise<Acceptance> {
  const { body, code, detail } = malformed;
  const receipt = await storeMalformed(journal, source, origin, { body, detail: `${code}: ${detail}` });
  return { status: 'malformed', receipt, code, detail };
}

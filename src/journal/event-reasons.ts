import type { EventState } from './stored-event.ts';

/** Why an event is ignored. */
export const IGNORED_REASONS = [
  'test-event',
  'no-identity',
  'unmapped',
  'customer-deleted',
  'discarded',
] as const;

/** The reason of an event whose stored payload, or its customer's stored state, is damaged. */
export const PAYLOAD_LOST = 'payload-lost';

/** The reason of an event that AEP acknowledged and whose record it refused afterwards. */
export const REFUSED_LATER = 'refused-later';

/**
 * Why an event is a dead letter. The last four: accepted bodies that can no longer be read as
 * events, and payloads that are damaged.
 */
export const DEAD_REASONS = [
  'rejected',
  'too-large',
  'poison',
  'expired',
  'mapping',
  'mapping-failed',
  REFUSED_LATER,
  'not-json',
  'not-an-event',
  'wrong-org',
  PAYLOAD_LOST,
] as const;

/** The reasons that events of a state can have; earlier versions may have recorded others. */
export const REASONS: Readonly<Record<EventState, readonly string[]>> = {
  pending: [],
  delivered: [],
  ignored: IGNORED_REASONS,
  dead: DEAD_REASONS,
  malformed: ['malformed'],
};

import { PERMANENT_CODES } from '../adobe/minted.ts';
import { PROBLEMS } from '../http/problems.ts';
import { NOTE_CODES } from '../mapping/notes.ts';

/** The values that a label of a metric can have, in words where the configuration or a range gives them. For people and for the tests. */
export type LabelValues = readonly string[];

/** A name of the configuration stands for as many values as it has entries. */
export const SOURCE: LabelValues = ['name of a source'];
export const DESTINATION: LabelValues = ['name of a destination'];
/** A name that Capillary does not publish is counted as `other`, so that no sender can make new series. */
export const EVENT_NAME: LabelValues = ['name of a catalogued event', 'other'];

export const WEBHOOK_OUTCOME: LabelValues = ['accepted', 'duplicate', ...Object.keys(PROBLEMS)];
export const LEDGER_STATE: LabelValues = [
  'accepted',
  'pending',
  'delivered',
  'ignored',
  'dead',
  'malformed',
  'quarantined',
];
export const IGNORED_REASON: LabelValues = ['test-event', 'no-identity', 'unmapped', 'customer-deleted'];
/** The last three are of bodies that were accepted and cannot be read as events any more. */
export const DEAD_REASON: LabelValues = [
  'rejected',
  'too-large',
  'poison',
  'expired',
  'mapping',
  'mapping-failed',
  'not-json',
  'not-an-event',
  'wrong-org',
];
export const MESSAGE_KIND: LabelValues = ['event', 'profile'];
export const INLET_OUTCOME: LabelValues = [
  'taken',
  'mixed',
  'too-large',
  'invalid',
  'unauthorized',
  'destination',
  'throttled',
  'transient',
];

const IMS_FAILURE: LabelValues = [...PERMANENT_CODES, 'refused', 'throttled', 'unavailable', 'network'];
export const IMS_OUTCOME: LabelValues = [
  'ok',
  'ok_lifetime_unknown',
  'same_token',
  'secret_failed',
  ...IMS_FAILURE,
];
export const DESTINATION_STATES = ['flowing', 'waiting', 'paused'] as const;
export const STOP_REASON: LabelValues = [
  'operator',
  'throttled',
  'failing',
  'items-failing',
  'unauthorized',
  'forbidden',
  'ip-not-allowed',
  'inlet-not-found',
  'not-available',
  'wrong-ims-org',
  'unknown-schema',
  'status-NNN',
  'item-NNN',
  ...IMS_FAILURE.map((code) => `ims-${code}`),
];
export const NOTE_KIND: LabelValues = ['dropped', 'repaired', 'truncated'];
export const NOTE_CODE: LabelValues = NOTE_CODES;
export const CLOSED_BY = ['store-full', 'store-failing', 'draining'] as const;
export const JOURNAL_BATCH_KIND = ['write', 'read'] as const;
export const PART: LabelValues = ['intake', 'delivery', 'admin'];

import { PERMANENT_CODES } from '../adobe/ims/token-response.ts';
import { PROBLEMS } from '../http/problems.ts';
import { DEAD_REASONS, IGNORED_REASONS } from '../journal/event-reasons.ts';
import { NOTE_CODES } from '../mapping/mapping-notes.ts';

/**
 * The values that a metric's label can have; a description where they come from the configuration
 * or from a range. Used by docs/metrics.md and by tests.
 */
export type LabelValues = readonly string[];

/** One value per configured name. */
export const SOURCE: LabelValues = ['name of a source'];
export const DESTINATION: LabelValues = ['name of a destination'];
/** An unpublished name is counted as `other`, so that a sender cannot create new series. */
export const EVENT_NAME: LabelValues = ['name of a catalogued event', 'other'];

export const WEBHOOK_OUTCOME: LabelValues = [
  'accepted',
  'duplicate',
  'partly-malformed',
  'oversized',
  ...Object.keys(PROBLEMS),
];
/** `unknown`: the body of the first event is no longer stored. */
export const DIFFERS: LabelValues = ['true', 'false', 'unknown'];
export const LEDGER_STATE: LabelValues = [
  'accepted',
  'pending',
  'delivered',
  'ignored',
  'dead',
  'malformed',
  'quarantined',
];
/** Without what is decided apart from delivery. */
export const IGNORED_REASON: LabelValues = IGNORED_REASONS.filter((reason) => reason !== 'discarded');
export const DEAD_REASON: LabelValues = DEAD_REASONS;
export const MESSAGE_KIND: LabelValues = ['event', 'profile'];
export const INLET_OUTCOME: LabelValues = [
  'taken',
  'mixed',
  'too-large',
  'invalid',
  'foreign',
  'unauthorized',
  'destination',
  'throttled',
  'unsent',
  'transient',
];

const IMS_FAILURES: LabelValues = [...PERMANENT_CODES, 'refused', 'throttled', 'unavailable', 'network'];
const PROXY_FAILURES: LabelValues = ['proxy-refused', 'proxy-failing'];
export const IMS_OUTCOME: LabelValues = [
  'ok',
  'ok_lifetime_unknown',
  'same_token',
  'secret_failed',
  ...IMS_FAILURES,
  ...PROXY_FAILURES,
];
/** What was removed from a full store before its retention was over. */
export const MADE_ROOM_PART = ['bodies', 'records'] as const;
export const DESTINATION_STATES = ['flowing', 'waiting', 'paused'] as const;
export const STOP_REASON: LabelValues = [
  'operator',
  'throttled',
  'failing',
  'items-failing',
  'foreign-answer',
  'everything-refused',
  'unauthorized',
  'forbidden',
  'ip-not-allowed',
  'inlet-not-found',
  'not-available',
  'wrong-ims-org',
  'unknown-schema',
  'status-NNN',
  'item-NNN',
  ...IMS_FAILURES.map((code) => `ims-${code}`),
  ...PROXY_FAILURES,
];
export const NOTE_KIND: LabelValues = ['dropped', 'repaired', 'truncated'];
export const NOTE_CODE: LabelValues = NOTE_CODES;
export const CONTACT_KIND: LabelValues = ['email', 'phone', 'externalId', 'cardNumber'];
export const CLOSED_BY = ['store-full', 'store-failing', 'draining'] as const;
export const JOURNAL_BATCH_KIND = ['write', 'read'] as const;
export const CONFIG_RELOAD_OUTCOMES = ['applied', 'unchanged', 'refused'] as const;
export const PART: LabelValues = ['intake', 'delivery', 'enrichment', 'reconciliation', 'admin'];

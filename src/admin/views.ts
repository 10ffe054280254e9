import { type JsonValue, parseJsonText } from '../capillary/json.ts';
import type {
  EventRecord,
  ReplayJob,
  SentMessage,
  StoredEnrichment,
  StoredEvent,
} from '../journal/journal.ts';
import type { Landing } from '../journal/landings.ts';
import type { SourceConfig } from '../config/source-config.ts';
import { noteOf } from '../mapping/mapping-notes.ts';
import { mappingKindOf } from '../mapping/unread-fields.ts';
import { enrichmentView } from './enrichment-view.ts';
import type { ActionDetails } from '../operations/receipt-problems.ts';
import { xdmId } from '../xdm/xdm-record.ts';

/** Epoch ms → ISO 8601 in UTC; undefined stays undefined. */
export function isoTime<T extends number | undefined>(ms: T): T extends number ? string : string | undefined {
  return (ms === undefined ? undefined : new Date(ms).toISOString()) as T extends number
    ? string
    : string | undefined;
}

/**
 * An event in a listing: everything except its content. A malformed body lacks the fields of an
 * event.
 */
export function eventView(event: StoredEvent) {
  return {
    receipt: event.receipt,
    source: event.source,
    destination: event.destination,
    state: event.state,
    reason: event.reason,
    detail: event.detail,
    ...(event.state === 'malformed' ? {} : identityView(event)),
    receivedAt: isoTime(event.receivedAt),
    verifiedBy: event.verifiedBy,
    settledAt: isoTime(event.settledAt),
    dueAt: event.state === 'pending' ? isoTime(event.dueAt) : undefined,
    failures: event.failedAttempts,
    charged: event.ownFaultCount,
    delivered: event.delivered,
    replays: event.replays,
    isReplay: event.isReplay ? true : undefined,
    bodyBytes: event.bodyBytes,
  };
}

function identityView(event: StoredEvent) {
  return {
    eventName: event.eventName,
    eventId: event.eventId,
    orgId: event.orgId,
    customerId: event.customerId,
    identity: event.identity,
    lane: event.lane,
    createdAt: isoTime(event.createdAt),
  };
}

/** Everything about one event. Without `content`, its body and the messages sent are omitted. */
export function recordView(
  record: EventRecord,
  {
    content,
    source,
    enrichment,
    landing,
  }: {
    readonly content: boolean;
    readonly source: SourceConfig | undefined;
    readonly enrichment: StoredEnrichment | undefined;
    /** Of a delivered event whose destination is compared with AEP. */
    readonly landing: Landing | undefined;
  },
) {
  return {
    ...eventView(record.event),
    mapping: mappingOf(record.event, source),
    sourceConfigured: source !== undefined,
    sourceDestination: source?.destination,
    messageId: messageIdOf(record.event),
    hasBody: record.body !== undefined,
    enrichment: enrichmentView(enrichment, record.refresh),
    landing: landingView(landing),
    timeline: timelineOf(record),
    differingCopies: differingCopiesView(record),
    notes: record.notes.map(({ path, code, detail }) => noteOf(path, code, detail)),
    ...(content ? contentOf(record) : {}),
  };
}

function mappingOf({ state, eventName }: StoredEvent, source: SourceConfig | undefined) {
  if (state === 'malformed' || source === undefined) return undefined;
  const kind = mappingKindOf(eventName, source);
  return kind === 'generic' && source.unmapped === 'ignore' ? 'none' : kind;
}

function landingView(landing: Landing | undefined) {
  return landing?.state === 'landed' ? { ...landing, since: isoTime(landing.since) } : landing;
}

function differingCopiesView({ differingCopies }: EventRecord) {
  return differingCopies && { count: differingCopies.count, lastAt: isoTime(differingCopies.lastAt) };
}

function contentOf({ body, sent }: EventRecord) {
  return {
    ...(body === undefined ? {} : bodyView(body)),
    ...(sent.length === 0 ? {} : { sent: sent.map(sentView) }),
  };
}

function sentView({ kind, json }: SentMessage) {
  return { kind, message: JSON.parse(json) as unknown };
}

/** The XDM `_id` that the mapping derives from the identity. */
function messageIdOf({ identity, idSuffix, state }: StoredEvent): string | undefined {
  return state === 'malformed' ? undefined : xdmId(identity, idSuffix);
}

interface TimelineEntry {
  readonly at: number;
  readonly what: 'received' | 'verified' | 'attempt' | 'action' | 'settled';
  readonly [more: string]: unknown;
}

/**
 * Everything that happened to an event, oldest first. Entries of the same millisecond are in their
 * logical order.
 */
function timelineOf(record: EventRecord) {
  return [
    ...receiptEntries(record),
    ...record.attempts.map(attemptEntry),
    ...record.actions.map(actionEntry),
    ...settlementEntries(record),
  ]
    .toSorted((a, b) => a.at - b.at)
    .map((entry) => ({ ...entry, at: isoTime(entry.at) }));
}

function receiptEntries({ event }: EventRecord): TimelineEntry[] {
  return [
    { at: event.receivedAt, what: 'received', source: event.source, bytes: event.bodyBytes },
    { at: event.receivedAt, what: 'verified', by: event.verifiedBy },
  ];
}

function attemptEntry(attempt: EventRecord['attempts'][number]): TimelineEntry {
  return { ...attempt, what: 'attempt' };
}

function actionEntry(action: EventRecord['actions'][number]): TimelineEntry {
  return { ...action, what: 'action' };
}

function settlementEntries({ event: { settledAt, state, reason, detail } }: EventRecord): TimelineEntry[] {
  return settledAt === undefined ? [] : [{ at: settledAt, what: 'settled', state, reason, detail }];
}

/** A body as JSON, or as base64 if it is not valid JSON in UTF-8. */
export type BodyView = { readonly body: JsonValue } | { readonly bodyBase64: string };

/**
 * The body as the relay parses it: integers too large for a number are strings, so that no id loses
 * digits.
 */
export function bodyView(body: Buffer): BodyView {
  const parsed = parseJsonText(textOf(body));
  return parsed.ok ? { body: parsed.value } : { bodyBase64: body.toString('base64') };
}

/**
 * Empty, and therefore not JSON, if the bytes are not UTF-8: replacement characters would hide the
 * error.
 */
function textOf(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return '';
  }
}

/** The answer to an action on several entries, and its counts alone. */
export function actionView<Item>(
  { problems, dryRun, ...rest }: ActionDetails<Item>,
  view: (item: Item) => unknown,
) {
  const counts = rest as Readonly<Record<string, number>>;
  return {
    counts,
    answer: {
      ...counts,
      ...(dryRun && {
        dryRun: true,
        eligible: dryRun.eligible,
        sample: dryRun.sample.map((item) => view(item)),
      }),
      ...(problems.length === 0 ? {} : { problems }),
    },
  };
}

/** A replay job in a listing. */
export function replayView({ at, filter, finishedAt, ...job }: ReplayJob) {
  return {
    ...job,
    at: isoTime(at),
    filter: {
      ...filter,
      since: isoTime(filter.since),
      until: isoTime(filter.until),
      settledSince: isoTime(filter.settledSince),
      settledUntil: isoTime(filter.settledUntil),
    },
    finishedAt: isoTime(finishedAt),
  };
}

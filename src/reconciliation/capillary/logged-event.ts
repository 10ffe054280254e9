import type { DeliveryRow } from '../../capillary/api/delivery-log.ts';
import { splitEventType } from '../../capillary/event-envelope.ts';
import { eventIdText } from '../../capillary/event-id.ts';
import { identityOf } from '../../capillary/event-identity.ts';
import { parseBody, parseEvent } from '../../capillary/event-parser.ts';
import { SAMPLE_EVENT_ID } from '../../capillary/event.ts';
import type { SourceConfig } from '../../config/source-config.ts';

/** What a row of the delivery log says about its event. */
export interface LoggedEvent {
  /**
   * Under which the journal can have the event: that of the payload, and that of the row, because
   * the webhook can have been posted in the other form. Empty if there is neither.
   */
  readonly identities: readonly string[];
  /** What is to be accepted if the event is unknown; absent without any payload. */
  readonly body?: string;
  /** Why the payload is no event of this source, without content of it; absent if it is one. */
  readonly fault?: string;
}

type ParseRules = Pick<SourceConfig, 'orgIds' | 'timezone'>;

type Reading =
  | { readonly ok: true; readonly identities: readonly string[]; readonly hasId: boolean }
  | { readonly ok: false; readonly detail: string };

function isWrapper(text: string): boolean {
  return /"attributes"\s*:/.test(text);
}

function read(text: string, rules: ParseRules): Reading {
  const body = Buffer.from(text, 'utf8');
  const parsed = parseBody(body, rules);
  if ('elements' in parsed) return { ok: false, detail: 'the payload is an array' };
  if (!parsed.ok) return { ok: false, detail: parsed.detail };
  const { identity, eventId } = parsed.event;
  const hasId = eventId !== undefined;
  if (!hasId || !isWrapper(text)) return { ok: true, identities: [identity], hasId };
  // The id of the wrapper need not be in the body that was posted.
  const bare = parseEvent(body, { ...rules, withoutId: true });
  return { ok: true, identities: bare.ok ? [identity, bare.event.identity] : [identity], hasId };
}

/** Added as text, because numbers beyond 2^53 would lose digits. The last of equal keys counts. */
function withEventId(text: string, eventId: string): string {
  const end = text.lastIndexOf('}');
  return `${text.slice(0, end)},"eventId":${JSON.stringify(eventId)}}`;
}

/**
 * The identity by organisation, name and id in the row itself. Samples have a constant id, so
 * their content is needed.
 */
function rowIdentity(row: DeliveryRow): string | undefined {
  const { orgId, eventName = row.eventName } = splitEventType(row.eventName);
  const eventId = eventIdText(row.eventId);
  const org = row.orgId ?? (orgId === undefined ? undefined : Number(orgId));
  if (eventId === undefined || org === undefined || eventName === '') return undefined;
  if (eventId.toLowerCase() === SAMPLE_EVENT_ID) return undefined;
  return identityOf({ orgId: org, eventName, eventId, data: {}, isSample: false });
}

/**
 * Reads the payload as a webhook would be read: the body that was posted, else the router wrapper
 * of the same event. The router adds the id of the event when it posts, so a wrapper without one
 * gets it from the row.
 * Source: docs/platforms/capillary.md#delivery-log
 */
export function loggedEventOf(row: DeliveryRow, rules: ParseRules): LoggedEvent {
  const own = rowIdentity(row);
  const found = own === undefined ? [] : [own];
  let fault: string | undefined;
  for (const text of [row.body, row.wrapper]) {
    if (text === undefined) continue;
    const reading = read(text, rules);
    if (!reading.ok) {
      fault ??= reading.detail;
      continue;
    }
    const lacksId = !reading.hasId && isWrapper(text) && eventIdText(row.eventId) !== undefined;
    return {
      identities: [...new Set([...reading.identities, ...found])],
      body: lacksId ? withEventId(text, row.eventId) : text,
    };
  }
  const body = row.body ?? row.wrapper;
  return {
    identities: found,
    fault: fault ?? 'the log has no payload of it',
    ...(body === undefined ? {} : { body }),
  };
}

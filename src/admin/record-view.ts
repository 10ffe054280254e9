import { xdmId } from '../xdm/xdm-id.ts';
import type { EventRecord, SentMessage, StoredEvent } from '../journal/journal.ts';
import { bodyView } from './body-view.ts';
import { eventView } from './event-view.ts';
import { noteOf } from '../mapping/notes.ts';
import { timelineOf } from './timeline.ts';

/** All that is known of one event. Without `content` nothing of what it says is shown: neither its body nor what was sent. */
export function recordView(record: EventRecord, { content }: { readonly content: boolean }) {
  return {
    ...eventView(record.event),
    messageId: messageIdOf(record.event),
    hasBody: record.body !== undefined,
    timeline: timelineOf(record),
    notes: record.notes.map(({ path, code }) => noteOf(path, code)),
    ...(content ? contentOf(record) : {}),
  };
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

/** The XDM `_id` as the mapping makes it: a pure function of the identity. */
function messageIdOf({ identity, idSuffix, state }: StoredEvent): string | undefined {
  return state === 'malformed' ? undefined : xdmId(identity, idSuffix);
}

import {
  createEnvelopeSerializer,
  type EnvelopeTarget,
  mergeOperations,
} from '../adobe/inlet/inlet-envelope.ts';
import type { DestinationConfig } from '../config/config-schema.ts';
import type { ClaimedEvent, MessageKind } from '../journal/journal.ts';
import type { WrittenText } from '../xdm/json-buffer.ts';
import type { OutgoingMessage } from './outcome.ts';

/** The message with a record of an event, as it is sent to a destination. @param now epoch ms */
export function outgoingMessage(
  event: ClaimedEvent,
  kind: OutgoingMessage['kind'],
  record: WrittenText,
  { destination, now }: { readonly destination: DestinationConfig; readonly now: number },
): OutgoingMessage {
  const { receipt, source, receivedAt, lane, traceparent } = event;
  const { json, bytes } = envelopeSerializer(destination, kind)(record.json, receivedAt, record.bytes);
  // The clock may have been set back since the event was received.
  const ageMs = Math.max(0, now - receivedAt);
  return {
    receipt,
    source,
    kind,
    receivedAt,
    lane,
    json,
    bytes,
    isSuspect: event.failedAttempts > 0,
    ageMs,
    isExpired: ageMs > destination.retry.maxAge,
    traceparent,
  };
}

/** The flow, format and operations for messages of one kind; a raw profile record is an upsert. */
export function envelopeTarget(destination: DestinationConfig, kind: MessageKind): EnvelopeTarget {
  const { imsOrgId, format, events, profile } = destination;
  const flow = kind === 'profile' && profile ? profile : events;
  const isUpsert = format === 'raw' && kind === 'profile';
  return {
    imsOrgId,
    flow,
    format,
    ...(isUpsert ? { operations: mergeOperations(profile?.identityDatasetId) } : {}),
  };
}

type Serializer = ReturnType<typeof createEnvelopeSerializer>;

const serializers = new WeakMap<DestinationConfig, Map<MessageKind, Serializer>>();

/** Cached by configuration object, which never changes. */
function envelopeSerializer(destination: DestinationConfig, kind: MessageKind): Serializer {
  const byKind = serializers.get(destination);
  const cached = byKind?.get(kind);
  if (cached !== undefined) return cached;
  const serializer = createEnvelopeSerializer(envelopeTarget(destination, kind));
  serializers.set(destination, (byKind ?? new Map<MessageKind, Serializer>()).set(kind, serializer));
  return serializer;
}

import { createEnvelope, type EnvelopeTarget, mergeOperations } from '../adobe/envelope.ts';
import type { DestinationConfig } from '../config/schema.ts';
import type { MessageKind } from '../journal/journal.ts';

/** Where a message of this kind goes at the destination, and as what: a raw profile record is an upsert. */
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

type Envelope = ReturnType<typeof createEnvelope>;

const envelopes = new WeakMap<DestinationConfig, Map<MessageKind, Envelope>>();

/** What makes the messages of this kind, made once: a configuration does not change while it lives. */
export function envelopeOf(destination: DestinationConfig, kind: MessageKind): Envelope {
  const known = envelopes.get(destination);
  const made = known?.get(kind);
  if (made !== undefined) return made;
  const envelope = createEnvelope(envelopeTarget(destination, kind));
  envelopes.set(destination, (known ?? new Map<MessageKind, Envelope>()).set(kind, envelope));
  return envelope;
}

import { type EnvelopeTarget, mergeOperations } from '../adobe/envelope.ts';
import type { DestinationConfig } from '../config/schema.ts';
import type { MessageKind } from '../journal/journal.ts';

/** Where a message of this kind goes at the destination, and as what: a raw profile record is an upsert. */
export const envelopeTarget = (destination: DestinationConfig, kind: MessageKind): EnvelopeTarget => {
  const { imsOrgId, format, events, profile } = destination;
  const flow = kind === 'profile' && profile ? profile : events;
  const isUpsert = format === 'raw' && kind === 'profile';
  return {
    imsOrgId,
    flow,
    format,
    ...(isUpsert ? { operations: mergeOperations(profile?.identityDatasetId) } : {}),
  };
};

import type { JsonObject } from '../../capillary/json.ts';
import { PAYLOAD_MAX_BYTES } from '../../xdm/limits.ts';
import type { Family } from './family.ts';
import type { Notes } from '../notes.ts';

/**
 * Every event without a mapping of its own: what all events share, and its data as text for whoever wants to
 * read it in AEP.
 */
export const mapGeneric: Family = ({ event, context, notes }) => ({
  eventType: `loyalty.${event.eventName}`,
  ...(context.destination.tenant === undefined
    ? {}
    : { tenant: { payload: payloadText(event.data, notes) } }),
});

/** Half a JSON text helps nobody, so it is whole or not at all. */
function payloadText(data: JsonObject, notes: Notes): string | undefined {
  const text = Object.keys(data).length === 0 ? undefined : JSON.stringify(data);
  if (text === undefined || Buffer.byteLength(text, 'utf8') <= PAYLOAD_MAX_BYTES) {
    return text;
  }
  notes.add('data', 'payload-left-out');
  return undefined;
}

import type { JsonObject } from '../../../capillary/json.ts';
import type { DestinationConfig } from '../../../config/config-schema.ts';
import type { RecordClass } from '../../../xdm/standard-groups.ts';
import type { EntityIdentity } from '../../../adobe/platform/profile-access.ts';

/**
 * Values that belong to nobody: a domain and a number that are reserved for examples (RFC 2606, and
 * 555-0100 to 555-0199 of the North American plan), and a text that no id of Capillary equals.
 */
const RESERVED: Readonly<Record<DestinationConfig['identity']['primary'], string>> = {
  customerId: 'capillary-aep-relay-probe',
  externalId: 'capillary-aep-relay-probe',
  cardNumber: 'capillary-aep-relay-probe',
  email: 'capillary-aep-relay-probe@example.com',
  phone: '+12025550142',
};

/** The `eventType` of probes, by which segments can leave them out. */
export const PROBE_EVENT_TYPE = 'loyalty.relayProbe';

/** A record that carries nobody's data. */
export interface ProbeRecord {
  readonly record: RecordClass;
  /** `_id`; unique for each probe. */
  readonly id: string;
  readonly entity: JsonObject;
}

/** The identity of every probe of a destination: all of them belong to one profile. */
export function probeIdentity({ identity }: Pick<DestinationConfig, 'identity'>): EntityIdentity {
  const { primary, namespaces } = identity;
  return { namespace: namespaces[primary] ?? '', id: RESERVED[primary] };
}

/**
 * The test record of a dataflow: only fields that every schema of the configuration has.
 * @param id `_id`
 * @param now epoch ms; the time of the event
 */
export function probeRecord(
  record: RecordClass,
  destination: Pick<DestinationConfig, 'identity' | 'tenant'>,
  id: string,
  now: number,
): ProbeRecord {
  const { namespace, id: value } = probeIdentity(destination);
  const identityMap = { [namespace]: [{ id: value, authenticatedState: 'ambiguous', primary: true }] };
  const { tenant } = destination;
  if (record === 'profile')
    return { record, id, entity: { _id: id, person: { name: { fullName: 'Relay probe' } }, identityMap } };
  const own = tenant === undefined ? {} : { [tenant]: { capillary: { event: { name: 'relayProbe', id } } } };
  const timestamp = new Date(now).toISOString();
  return { record, id, entity: { _id: id, timestamp, eventType: PROBE_EVENT_TYPE, ...own, identityMap } };
}

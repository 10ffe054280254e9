import { isJsonObject, type JsonObject } from '../capillary/json.ts';
import { parseEntities } from '../capillary/stored-entities.ts';
import type { DestinationConfig, SourceConfig } from '../config/config-schema.ts';
import type { ClaimedEvent, Journal } from '../journal/journal.ts';
import { contactKey } from '../mapping/contact-key.ts';
import { parseState } from '../mapping/customer/customer-state.ts';
import { buildProfileRecord } from '../mapping/customer/profile-record.ts';
import { storedIdentityRules } from '../mapping/identity-rules.ts';
import type { IsShared } from '../mapping/mapping-result.ts';
import type { ProgramCatalogue } from '../mapping/program-catalogue.ts';
import type { SharedContacts } from './contact-register.ts';
import { addEntities, mapReadEvent, readEvent, type ReadEvent } from './prepare.ts';

interface Running {
  readonly config: DestinationConfig;
  readonly sources: readonly SourceConfig[];
}

export interface SentRecordReaderParts {
  readonly journal: Pick<Journal, 'find' | 'enrichments' | 'profiles'>;
  /** As it is configured at the time of the call; undefined if it is gone. */
  readonly running: () => Running | undefined;
  readonly programs: ProgramCatalogue;
  readonly shared: () => Pick<SharedContacts, 'has'> | undefined;
}

/** What was sent for a delivered event. */
export interface RepeatedRecord {
  readonly receipt: string;
  readonly source: string;
  readonly eventName: string;
  readonly eventId?: string;
  readonly customerId?: string;
  /** Epoch ms. */
  readonly settledAt: number;
  /** The primary identity. */
  readonly identity: { readonly namespace: string; readonly id: string };
  /** `at`: epoch ms of its `timestamp`; `bytes` of the `xdmEntity`. */
  readonly event?: { readonly id: string; readonly at: number; readonly bytes: number };
  readonly profile?: { readonly entity: JsonObject; readonly bytes: number };
}

/**
 * Makes again what was sent for delivered events: the relay does not store it. The record of a
 * profile is the one that was sent last for the customer. Nothing is fetched and nothing is stored:
 * entities are those that were stored with the event.
 */
export interface SentRecordReader {
  /**
   * Events that are not delivered, whose body is gone, or that cannot be mapped now are omitted. In
   * the format `raw` Data Prep builds the records, so all are.
   */
  of(receipts: readonly string[]): Promise<ReadonlyMap<string, RepeatedRecord>>;
}

/** The primary identity of a record; undefined if it has none. */
function primaryOf(entity: JsonObject): RepeatedRecord['identity'] | undefined {
  const map = isJsonObject(entity['identityMap']) ? entity['identityMap'] : {};
  for (const [namespace, items] of Object.entries(map)) {
    for (const item of Array.isArray(items) ? items : []) {
      if (isJsonObject(item) && item['primary'] === true && typeof item['id'] === 'string')
        return { namespace, id: item['id'] };
    }
  }
  return undefined;
}

export function createSentRecordReader(parts: SentRecordReaderParts): SentRecordReader {
  const { journal } = parts;
  // What an old event says was learnt when it was delivered.
  const programs: ProgramCatalogue = {
    ...parts.programs,
    learn: () => undefined,
    learnPrograms: () => undefined,
  };

  const isShared: IsShared = (orgId, kind, id) => parts.shared()?.has(contactKey(orgId, kind, id)) === true;

  const profileOf = async (
    event: ClaimedEvent,
    { capillary, context }: ReadEvent,
  ): Promise<RepeatedRecord['profile']> => {
    const { destination, lane } = event;
    const { format, profile } = context.destination;
    const isSent = event.delivered.includes('profile') && format === 'xdm' && profile?.write === 'assemble';
    if (!isSent || lane === undefined) return undefined;
    const state = (await journal.profiles(destination, [lane])).get(lane);
    if (state === undefined) return undefined;
    const { entity, bytes } = buildProfileRecord(parseState(state), '', {
      ...context,
      programs: context.programs.of(capillary.orgId),
      rules: storedIdentityRules(capillary.orgId, context),
    });
    return { entity, bytes };
  };

  const repeat = async (event: ClaimedEvent): Promise<RepeatedRecord | undefined> => {
    const running = parts.running();
    const destination = running?.config;
    const source = running?.sources.find(({ name }) => name === event.source);
    if (destination === undefined || source === undefined || destination.format === 'raw') return undefined;
    const plain = readEvent(event, { now: event.receivedAt, destination, source, programs });
    if ('kind' in plain) return undefined;
    const { receipt } = event;
    const stored = (await journal.enrichments([receipt])).get(receipt)?.entities;
    const entities = stored === undefined ? undefined : parseEntities(stored);
    const isChecked = source.contacts.sharedBy > 0;
    const shared: ReadEvent = isChecked ? { ...plain, context: { ...plain.context, isShared } } : plain;
    const read =
      entities === undefined ? shared : addEntities(shared, { entities, stored: entities, waitedMs: 0 });
    const mapped = await mapReadEvent(read);
    if (mapped.outcome !== 'messages' || mapped.json === undefined) return undefined;
    const entity = JSON.parse(mapped.json) as JsonObject;
    const identity = primaryOf(entity);
    const at = typeof entity['timestamp'] === 'string' ? Date.parse(entity['timestamp']) : Number.NaN;
    if (identity === undefined || Number.isNaN(at)) return undefined;
    const profile = await profileOf(event, read);
    const { eventName, eventId, customerId, settledAt = event.receivedAt } = event;
    return {
      receipt,
      source: event.source,
      eventName,
      settledAt,
      identity,
      ...(eventId === undefined ? {} : { eventId }),
      ...(customerId === undefined ? {} : { customerId }),
      ...(event.delivered.includes('event')
        ? { event: { id: mapped.id, at, bytes: mapped.bytes ?? 0 } }
        : {}),
      ...(profile === undefined ? {} : { profile }),
    };
  };

  return {
    async of(receipts) {
      const found = new Map<string, RepeatedRecord>();
      for (const receipt of receipts) {
        const record = await journal.find(receipt);
        if (record?.event.state !== 'delivered' || record.body === undefined) continue;
        const repeated = await repeat({ ...record.event, body: record.body });
        if (repeated !== undefined) found.set(receipt, repeated);
      }
      return found;
    },
  };
}

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Entities } from '../../src/capillary/entities.ts';
import type { CapillaryEvent } from '../../src/capillary/event.ts';
import { parseEvent } from '../../src/capillary/event-parser.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import { destinationSchema } from '../../src/config/destination-config.ts';
import { sourceSchema } from '../../src/config/source-config.ts';
import { applyToCustomer } from '../../src/mapping/customer/apply-to-customer.ts';
import { mapEvent } from '../../src/mapping/map-event.ts';
import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import type { MappingContext, MappingResult } from '../../src/mapping/mapping-result.ts';

/** 2026-11-20T12:00:00Z: later than all events of the fixtures. */
export const RECEIVED_AT = Date.UTC(2026, 10, 20, 12);

export const fixtureFolder = fileURLToPath(new URL('../fixtures/mapping/', import.meta.url));

/** Names of the payloads; each has its expected mapping in a second file. */
export const fixtureNames = namesIn(fixtureFolder);

/** An event with what Capillary's API said about it; the expected mapping is in a second file. */
export interface EnrichedFixture {
  readonly event: CapillaryEvent;
  readonly context: MappingContext;
}

const enrichedFolder = fileURLToPath(new URL('../fixtures/enriched/', import.meta.url));

export const enrichedNames = namesIn(enrichedFolder);

export function enrichedFixture(name: string, change: ContextChange = {}): EnrichedFixture {
  const { event, ...context } = JSON.parse(readEnriched(name)) as ContextChange & { event: JsonObject };
  return { event: eventOf(event), context: contextOf({ ...context, ...change }) };
}

export function readEnriched(name: string): string {
  return readFileSync(`${enrichedFolder}${name}.json`, 'utf8');
}

function namesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.endsWith('.xdm.json'))
    .map((name) => name.replace(/\.json$/, ''))
    .toSorted();
}

export interface ContextChange {
  readonly source?: Record<string, unknown>;
  readonly destination?: Record<string, unknown>;
  readonly receivedAt?: number;
  readonly idSuffix?: string;
  readonly entities?: Entities;
  readonly isCorrection?: boolean;
}

/**
 * A context as the configuration would give it: an Indian brand with a tenant and a profile
 * dataset, unless changed.
 */
export function contextOf({
  source,
  destination,
  receivedAt,
  idSuffix,
  ...enrichment
}: ContextChange = {}): MappingContext {
  const flow = { schemaId: 'https://ns.adobe.com/acme/schemas/1', datasetId: 'd1', flowId: 'f1' };
  return {
    source: sourceSchema.parse({
      name: 'acme',
      destination: 'aep',
      timezone: 'Asia/Kolkata',
      country: 'IN',
      verify: [{ type: 'none' }],
      ...source,
    }),
    destination: destinationSchema.parse({
      name: 'aep',
      imsOrgId: '1A2B3C@AdobeOrg',
      sandbox: 'dev',
      inletUrl: 'https://dcs.adobedc.net/collection/0a1b',
      events: flow,
      profile: flow,
      tenant: '_acme',
      ...destination,
    }),
    programs: createProgramCatalogue(),
    receivedAt: receivedAt ?? RECEIVED_AT,
    idSuffix: idSuffix ?? '',
    ...enrichment,
  };
}

/** The event of a payload, in whichever envelope. */
export function eventOf(payload: object | string): CapillaryEvent {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const parsed = parseEvent(new TextEncoder().encode(text), {});
  if (!parsed.ok) {
    throw new Error(parsed.detail);
  }
  return parsed.event;
}

/** An event with its data, of a customer, in the smallest envelope. */
export function eventWith(eventName: string, data: JsonObject, more: object = {}): CapillaryEvent {
  return eventOf({
    eventName,
    eventId: 'e-1',
    orgId: 204731,
    createdAt: 1_794_000_000_000,
    data: { customerIdentifiers: { customerId: 518200431 }, ...data },
    ...more,
  });
}

export function readFixture(name: string): string {
  return readFileSync(`${fixtureFolder}${name}.json`, 'utf8');
}

export function fixtureEvent(name: string): CapillaryEvent {
  return eventOf(readFixture(name));
}

export type Messages = Extract<MappingResult, { outcome: 'messages' }>;

/** Maps and insists on messages. */
export async function messagesOf(event: CapillaryEvent, context = contextOf()): Promise<Messages> {
  const mapped = await mapEvent(event, context);
  if (mapped.outcome !== 'messages') {
    throw new Error(`${mapped.outcome}: ${mapped.reason}`);
  }
  return mapped;
}

export function codesOf(mapped: MappingResult): string[] {
  return mapped.notes.map(({ path, code }) => `${code} ${path}`);
}

/**
 * A mapping as plain JSON without the text of its event and what it did not read, for comparing.
 */
export function plain(mapped: MappingResult): JsonObject {
  return JSON.parse(
    JSON.stringify(
      { ...mapped, json: undefined, bytes: undefined, notes: codesOf(mapped), unread: undefined },
      (_key, value: unknown) => (value instanceof Map ? (Object.fromEntries(value) as object) : value),
    ),
  ) as JsonObject;
}

/** The profile record of a mapped event if the relay knows nothing else of the customer. */
export function recordOf(event: CapillaryEvent, mapped: MappingResult, context: MappingContext): JsonObject {
  const lane = event.lane ?? '';
  const before = { lane, ownLane: lane, state: undefined, victim: undefined };
  return applyToCustomer(event, mapped, before, context).profile?.entity ?? {};
}

/**
 * A mapping for the fixtures: its messages as they are sent if the relay knows nothing else of the
 * customer.
 */
export function plainRecords(
  event: CapillaryEvent,
  mapped: MappingResult,
  context: MappingContext,
): JsonObject {
  return mapped.outcome === 'messages' && mapped.profile !== undefined
    ? {
        ...plain(mapped),
        profile: { at: mapped.profile.at, record: recordOf(event, mapped, context) },
      }
    : plain(mapped);
}

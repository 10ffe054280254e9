import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { FIELD_DEFAULTS, type WebhookFields } from './webhook-object.ts';

type Enrichment = Pick<
  WebhookFields,
  | 'customerIdentifiersToBeEnriched'
  | 'tillDetailsEnrichmentEnabled'
  | 'storeDetailsEnrichmentEnabled'
  | 'awardedReferenceEnrichmentEnabled'
  | 'availablePointsBalanceEnrichmentEnabled'
  | 'neoEnrichment'
>;

const CARD_KEYS = ['cardnumber', 'cardNumbers', 'cards'];

/** Coupons have the second name. */
const PLACE_KEYS = ['enteredBy', 'addedBy'];

/** Events that have identifiers in any case: the causing call names the customer by them. */
const NAMED_BY_IDENTIFIERS = ['customerAdded'];

/** `WebEngage`, `web_engage` and `webengage` are one source. */
function sourceName(key: string): string {
  return key.toLowerCase().replaceAll('_', '');
}

function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** The fields of in-store identifiers that are switched on; cards have a switch of their own. */
function instoreOf(instore: JsonObject, sources: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(
    Object.entries(instore).filter(([key]) =>
      sources.has(CARD_KEYS.includes(key) ? 'cardnumbers' : 'instore'),
    ),
  );
}

/** The customer id, and the sources that are switched on. */
function identifiersOf(identifiers: JsonObject, enrichment: Enrichment): JsonObject {
  const sources = new Set(enrichment.customerIdentifiersToBeEnriched.map(sourceName));
  return Object.fromEntries(
    Object.entries(identifiers).flatMap(([key, value]): [string, JsonValue][] => {
      if (!isJsonObject(value)) return [[key, value]];
      if (sourceName(key) !== 'instore') return sources.has(sourceName(key)) ? [[key, value]] : [];
      const instore = instoreOf(value, sources);
      return Object.keys(instore).length > 0 ? [[key, instore]] : [];
    }),
  );
}

function placeOf(enteredBy: JsonObject, enrichment: Enrichment): JsonObject {
  return without(enteredBy, [
    ...(enrichment.tillDetailsEnrichmentEnabled ? [] : ['till']),
    ...(enrichment.storeDetailsEnrichmentEnabled ? [] : ['store']),
  ]);
}

/** Removes at every level what is not switched on. */
function reduced(
  value: JsonValue,
  key: string,
  enrichment: Enrichment,
  keepsIdentifiers: boolean,
): JsonValue {
  if (Array.isArray(value)) return value.map((item) => reduced(item, key, enrichment, keepsIdentifiers));
  if (!isJsonObject(value)) return value;
  const object = Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, reduced(inner, name, enrichment, keepsIdentifiers)]),
  );
  if (key === 'customerIdentifiers' && !keepsIdentifiers) return identifiersOf(object, enrichment);
  return PLACE_KEYS.includes(key) ? placeOf(object, enrichment) : object;
}

/**
 * The event as a webhook gets it: without the identifiers, till and store that it does not switch
 * on (docs/platforms/capillary.md#identifiers, #shared-objects). Given an event with everything.
 */
export function enrichedEvent(event: JsonObject, enrichment: Enrichment): JsonObject {
  const keepsIdentifiers = NAMED_BY_IDENTIFIERS.some((name) => name === event.eventName);
  return reduced(event, '', enrichment, keepsIdentifiers) as JsonObject;
}

/** The event before any enrichment, as the router has it. */
export function plainEvent(event: JsonObject): JsonObject {
  return enrichedEvent(event, FIELD_DEFAULTS);
}

/** Whether the webhook switches any enrichment on. */
export function isEnriched(enrichment: Enrichment): boolean {
  return (
    enrichment.customerIdentifiersToBeEnriched.length > 0 ||
    enrichment.tillDetailsEnrichmentEnabled ||
    enrichment.storeDetailsEnrichmentEnabled ||
    enrichment.awardedReferenceEnrichmentEnabled ||
    enrichment.availablePointsBalanceEnrichmentEnabled ||
    Object.keys(enrichment.neoEnrichment).length > 0
  );
}

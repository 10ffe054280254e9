import { isJsonObject, type JsonObject, type JsonValue } from '../../../capillary/json.ts';
import { FIELD_DEFAULTS, type WebhookFields } from './webhook-object.ts';

/** A refusal of the API: its code and text. */
export interface FieldProblem {
  readonly code: number;
  readonly message: string;
}

/** Codes that the documentation names (docs/platforms/capillary.md#webhook-object). */
const UNPARSABLE = 300_004;
const NO_EVENTS = 51_003;
const NO_CONNECTIONS = 51_007;

type Form = 'text' | 'flag' | 'number' | 'texts' | 'object';

const FORMS: Readonly<Record<keyof WebhookFields, Form>> = {
  name: 'text',
  active: 'flag',
  eventNames: 'texts',
  webHookUrl: 'text',
  webHookType: 'text',
  methodType: 'text',
  webHookHeaders: 'object',
  maxAllowedConnections: 'number',
  slaInSeconds: 'number',
  customerIdentifiersToBeEnriched: 'texts',
  tillDetailsEnrichmentEnabled: 'flag',
  storeDetailsEnrichmentEnabled: 'flag',
  awardedReferenceEnrichmentEnabled: 'flag',
  availablePointsBalanceEnrichmentEnabled: 'flag',
  neoEnrichment: 'object',
  listenToChildEvents: 'flag',
};

type FieldName = keyof WebhookFields;

/** What a new webhook needs. */
export const REQUIRED_TO_CREATE: readonly FieldName[] = [
  'name',
  'active',
  'eventNames',
  'webHookUrl',
  'webHookType',
  'methodType',
  'webHookHeaders',
  'maxAllowedConnections',
  'customerIdentifiersToBeEnriched',
];

/** What a replacement needs; any other field that it omits is reset to its default. */
export const REQUIRED_TO_REPLACE: readonly FieldName[] = [
  'name',
  'eventNames',
  'webHookUrl',
  'maxAllowedConnections',
];

function isTexts(value: JsonValue): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function hasForm(value: JsonValue, form: Form): boolean {
  if (form === 'text') return typeof value === 'string' && value !== '';
  if (form === 'flag') return typeof value === 'boolean';
  if (form === 'number') return typeof value === 'number';
  return form === 'texts' ? isTexts(value) : isJsonObject(value);
}

function hasTextValues(headers: JsonValue | undefined): boolean {
  return !isJsonObject(headers) || Object.values(headers).every((value) => typeof value === 'string');
}

function problemOf(
  name: FieldName,
  value: JsonValue | undefined,
  isRequired: boolean,
): FieldProblem | undefined {
  if (value === undefined) {
    if (!isRequired) return undefined;
    if (name === 'eventNames') return { code: NO_EVENTS, message: 'Event names should not be empty' };
    return { code: UNPARSABLE, message: `Required field is missing: ${name}` };
  }
  if (value === null) return { code: UNPARSABLE, message: `Null is not allowed: ${name}` };
  if (!hasForm(value, FORMS[name])) return { code: UNPARSABLE, message: `Unable to parse: ${name}` };
  return undefined;
}

function contentProblem(body: JsonObject, fields: WebhookFields): FieldProblem | undefined {
  if (!hasTextValues(body.webHookHeaders)) {
    return { code: UNPARSABLE, message: 'Unable to parse: webHookHeaders' };
  }
  if (fields.eventNames.length === 0) return { code: NO_EVENTS, message: 'Event names should not be empty' };
  if (fields.maxAllowedConnections <= 0) {
    return { code: NO_CONNECTIONS, message: 'Max allowed connections should be greater than zero' };
  }
  return undefined;
}

function namesOf(body: JsonObject, name: 'eventNames' | 'customerIdentifiersToBeEnriched'): string[] {
  return [...new Set((body[name] ?? []) as string[])];
}

/**
 * Decimals are truncated. Event names are a set, so their order is not that of the request; whether
 * there are such events is not checked. Fields that Capillary assigns are ignored.
 */
function fieldsOf(body: JsonObject): WebhookFields {
  const known = Object.keys(FORMS).filter((name) => body[name] !== undefined);
  const given = Object.fromEntries(known.map((name) => [name, body[name]])) as Partial<WebhookFields>;
  const { maxAllowedConnections, slaInSeconds } = { ...FIELD_DEFAULTS, ...given };
  return {
    ...FIELD_DEFAULTS,
    ...given,
    eventNames: namesOf(body, 'eventNames').toSorted(),
    customerIdentifiersToBeEnriched: namesOf(body, 'customerIdentifiersToBeEnriched'),
    maxAllowedConnections: Math.trunc(maxAllowedConnections),
    slaInSeconds: Math.trunc(slaInSeconds),
  };
}

/** Reads the body of a POST or PUT; null is refused in every field. */
export function readWebhookFields(
  body: JsonValue | undefined,
  required: readonly FieldName[],
): { readonly fields: WebhookFields } | { readonly problem: FieldProblem } {
  if (!isJsonObject(body)) return { problem: { code: UNPARSABLE, message: 'Unable to parse the request' } };
  for (const name of Object.keys(FORMS) as FieldName[]) {
    const problem = problemOf(name, body[name], required.includes(name));
    if (problem) return { problem };
  }
  const fields = fieldsOf(body);
  const problem = contentProblem(body, fields);
  return problem ? { problem } : { fields };
}

import type { Path } from './config-error.ts';
import type { JsonSchema } from './json-schema.ts';
import { nearest } from './nearest.ts';

/** Example values of keys without a default, as they are written in YAML. */
const EXAMPLES: Readonly<Record<string, string>> = {
  enrich: '{ transactions: true, customers: true }',
  reconcile: '{ every: 15m }',
  notifications: '{ clientId: "${IMS_CLIENT_ID}" }',
  sources: '[{ name: acme, … }]',
  destinations: '[{ name: acme-aep, … }]',
  name: 'acme',
  destination: 'acme-aep',
  orgIds: '[100458]',
  country: 'IN',
  program: '973',
  verify: '[{ type: header, name: X-Relay-Key, values: ["${RELAY_KEY}"] }]',
  type: 'header',
  values: '["${RELAY_KEY}"]',
  username: 'capillary',
  passwords: '["${RELAY_PASSWORD}"]',
  tokens: '["${RELAY_TOKEN}"]',
  secrets: '["${RELAY_SECRET}"]',
  header: 'X-Signature',
  timestamp: '{ header: X-Timestamp }',
  id: '{ header: X-Message-Id }',
  apiKey: '${NEO_API_KEY}',
  secret: '${NEO_SECRET}',
  signatureHeader: 'X-Signature',
  timestampHeader: 'X-Timestamp',
  token: '${RELAY_ADMIN_TOKEN}',
  url: 'postgres://relay:${file:/run/secrets/pg}@db:5432/relay?sslmode=verify-full',
  proxy: 'http://proxy.corp:3128',
  noProxy: '[".svc", "10.0.0.0/8"]',
  ca: '${file:/etc/ssl/corp-ca.pem}',
  api: '{ url: https://eu.api.capillarytech.com, key: "${CAPILLARY_API_KEY}", secret: "${CAPILLARY_API_SECRET}" }',
  webhook: '{ name: acme-aep-relay, url: https://…, header: { name: X-Relay-Key, value: "${RELAY_KEY}" } }',
  key: '${CAPILLARY_API_KEY}',
  value: '${RELAY_KEY}',
  encryptionKeys: '["${file:/run/secrets/store-key}"]',
  customFields: '{ favourite_store: _acme.favouriteStore }',
  extendedFields: '{ gender: person.gender }',
  event: '\'{ "_acme": { "brand": "one" } }\'',
  imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
  sandbox: 'prod',
  inletUrl: 'https://dcs.adobedc.net/collection/<inletId>',
  ims: '{ clientId: "${IMS_CLIENT_ID}", clientSecrets: ["${IMS_CLIENT_SECRET}"] }',
  clientId: '${IMS_CLIENT_ID}',
  clientSecrets: '["${IMS_CLIENT_SECRET}"]',
  events: '{ schemaId: …, datasetId: …, flowId: … }',
  profile: '{ schemaId: …, datasetId: …, flowId: … }',
  schemaId: 'https://ns.adobe.com/<tenant>/schemas/<id>',
  datasetId: '5c8c3c555033b814b69f947f',
  flowId: 'd3bb0d1e-6a3c-4d5f-8c61-2c1f7b2c7b3a',
  identityDatasetId: '5c8c3c555033b814b69f947f',
  customerId: 'capillaryId',
  email: 'Email',
  phone: 'Phone',
  externalId: 'loyaltyId',
  cardNumber: 'loyaltyCard',
  tenant: '_acme',
  prefix: '"<orgId>-"',
  trustProxy: '[10.0.0.0/8]',
  allowFrom: '[203.0.113.0/24]',
  ignore: '["*@example.com"]',
};

function choicesOf({ enum: values, anyOf = [] }: JsonSchema): readonly string[] {
  if (values !== undefined) return values;
  return anyOf.some(({ type }) => type === 'boolean') ? ['true', 'false'] : [];
}

/** Keys that have another meaning in some objects. */
function specialExample(key: string, { type, pattern }: JsonSchema): string | undefined {
  if (key === 'name' && pattern?.startsWith('^[!#') === true) return 'X-Relay-Key';
  return key === 'profile' && type === 'string' ? EXAMPLES['event'] : undefined;
}

/** How a valid value of this key is written; undefined if any text may be valid. */
export function exampleOf(key: string, field: JsonSchema): string | undefined {
  const { default: fallback } = field;
  if (Array.isArray(fallback)) return EXAMPLES[key] ?? `[${fallback.join(', ')}]`;
  if (typeof fallback === 'object') return '{ … }';
  if (typeof fallback === 'number' || typeof fallback === 'boolean') return `${fallback}`;
  if (typeof fallback === 'string' && fallback !== '') return fallback;
  return specialExample(key, field) ?? EXAMPLES[key] ?? choicesOf(field)[0];
}

/** What to write for a key that is invalid. @param value the invalid one, if it may be shown */
export function writeFix(path: Path, field: JsonSchema | undefined, value: unknown): string {
  const key = path.findLast((step) => typeof step === 'string') ?? '';
  if (field === undefined || key === '') return 'write it as in examples/relay.yaml';
  const choices = choicesOf(field);
  const meant = typeof value === 'string' ? nearest(value, choices) : undefined;
  if (choices.length > 0)
    return `write \`${key}: ${meant ?? exampleOf(key, field)}\`; the choices are ${choices.join(', ')}`;
  const example = exampleOf(key, field);
  return example === undefined
    ? `write another value for \`${key}\``
    : `write it in the form \`${key}: ${example}\``;
}

import { stringify } from 'yaml';
import type { InitAnswers } from './init-answers.ts';

/** Where the secrets of the new configuration come from. */
export interface SecretPlaces {
  /** Placeholder of each secret. */
  readonly imsClientSecret: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly relayKey: string;
  /** The former key during a rotation; empty for none. */
  readonly relayOldKey: string;
  readonly adminToken: string;
}

/** In variables of the environment. */
export const SECRETS_IN_ENVIRONMENT: SecretPlaces = {
  imsClientSecret: '${IMS_CLIENT_SECRET}',
  apiKey: '${CAPILLARY_API_KEY}',
  apiSecret: '${CAPILLARY_API_SECRET}',
  relayKey: '${RELAY_KEY}',
  relayOldKey: '${RELAY_OLD_KEY:-}',
  adminToken: '${RELAY_ADMIN_TOKEN:-}',
};

/** Files of the folder of secrets, by what they hold. */
export const SECRET_FILES = {
  imsClientSecret: 'ims-client-secret',
  apiKey: 'capillary-api-key',
  apiSecret: 'capillary-api-secret',
  relayKey: 'relay-key',
  relayOldKey: 'relay-old-key',
  adminToken: 'admin-token',
} as const satisfies Record<keyof SecretPlaces, string>;

/** In one file each. @param folder as it is written in the configuration */
export function secretsInFiles(folder: string): SecretPlaces {
  const placeOf = (key: keyof SecretPlaces): string => `\${file:${folder}/${SECRET_FILES[key]}}`;
  return {
    imsClientSecret: placeOf('imsClientSecret'),
    apiKey: placeOf('apiKey'),
    apiSecret: placeOf('apiSecret'),
    relayKey: placeOf('relayKey'),
    relayOldKey: placeOf('relayOldKey'),
    adminToken: placeOf('adminToken'),
  };
}

/** Addresses of a simulator, for a trial without Adobe and Capillary. */
export interface TrialAddresses {
  readonly imsUrl: string;
  readonly platformUrl: string;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Quoted only if YAML would not read it as a string, such as 007 and true. */
function plain(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}

/** YAML text of the new configuration. It has no secret. */
export function configTemplate(
  answers: InitAnswers,
  secrets: SecretPlaces,
  trial: TrialAddresses | undefined,
): string {
  const { name, imsOrgId, sandbox, clientId, cluster, orgId, url, timezone, country } = answers;
  const org =
    orgId === undefined
      ? '#orgIds: [100737]                # organisations accepted here; absent: any'
      : `orgIds: [${orgId}]`;
  const phones =
    country === undefined
      ? '#country: IN                     # for phone numbers without a country code'
      : `country: ${plain(country)}`;
  return `# The configuration of capillary-aep-relay, made by \`capillary-relay init\`. It has no secrets.
# Every further key, with its default, is in examples/relay.yaml and docs/configuration.md.

server:                              # the port that Capillary posts to
  host: \${RELAY_HOST:-0.0.0.0}
  port: \${RELAY_PORT:-8080}

admin:                               # health, metrics and the operators' API
  host: \${RELAY_ADMIN_HOST:-127.0.0.1}
  port: \${RELAY_ADMIN_PORT:-8081}
  token: ${quoted(secrets.adminToken)}

store:                               # on a disk that outlives the container
  path: \${RELAY_DATA:-./data}

sources:
  - name: ${plain(name)}
    destination: ${name}-aep
    ${org}
    timezone: ${plain(timezone)}
    ${phones}
    verify:                          # the header that Capillary sends; two values during a rotation
      - type: header
        name: X-Relay-Key
        values: [${quoted(secrets.relayKey)}, ${quoted(secrets.relayOldKey)}]
    api:                             # Capillary's REST API, for \`register\`, \`enrich\`, \`reconcile\`
      url: ${cluster}
      key: ${quoted(secrets.apiKey)}
      secret: ${quoted(secrets.apiSecret)}
    #enrich:                         # completes bills and profiles from this API (docs/enrichment.md);
      #maxDelay: 60s                 # run \`provision apply\` again before you switch it on
    webhook:                         # what \`register\` keeps at Capillary
      name: ${name}-aep-relay
      url: ${url}/webhooks/${name}
      events: recommended            # recommended | a list of names
      header: { name: X-Relay-Key, value: ${quoted(secrets.relayKey)} }
    #reconcile: {}                   # takes what did not arrive from Capillary's log (docs/reconciliation.md)

destinations:
  - name: ${name}-aep
    imsOrgId: ${quoted(imsOrgId)}
    sandbox: ${plain(sandbox)}
    ims:                             # OAuth server-to-server credential of the Developer Console
${trial === undefined ? '' : `      url: ${trial.imsUrl}\n`}      clientId: ${quoted(clientId)}
      clientSecrets: [${quoted(secrets.imsClientSecret)}]
${trial === undefined ? '' : `    platform: { url: ${trial.platformUrl} }\n`}    identity:
      primary: customerId
      namespaces:                    # identities to send; \`provision\` makes those that are missing
        customerId: capillaryId
        email: Email
        phone: Phone
        externalId: loyaltyId
    #reconcile: {}                   # compares what was delivered with what is in AEP (docs/reconciliation.md)
    # \`capillary-relay provision apply --write\` makes what is missing at Adobe and writes its ids here.
    events:                          # target of ExperienceEvents
    profile:                         # target of profile records; without this key none are sent
`;
}

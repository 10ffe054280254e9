import type { TokenClaims } from '../../capillary/api/oauth-token.ts';
import { shownUrl, type Webhook } from '../../capillary/api/webhooks.ts';
import { CATALOGUE } from '../../capillary/catalogue.ts';
import { isLoopback } from '../../config/address-checks.ts';
import { nearest } from '../../config/nearest.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { isHeaderAccepted, isOwnPath } from '../../sources/webhook-header.ts';
import { type Finding, warn } from '../doctor/finding.ts';
import { isSameHeader, type WantedWebhook } from './wanted-webhook.ts';
import type { WebhookMatch } from './webhook-match.ts';

function urlFindings({ name }: SourceConfig, { url }: WantedWebhook): Finding[] {
  const { protocol, hostname } = new URL(url);
  return [
    ...(protocol === 'https:' || isLoopback(hostname)
      ? []
      : [
          warn(
            'url',
            `${shownUrl(url)} is not https: header value and customer data are sent unencrypted`,
            'write an https URL into webhook.url',
          ),
        ]),
    ...(isOwnPath(url, name)
      ? []
      : [
          warn(
            'url',
            `${shownUrl(url)} does not end with /webhooks/${name}, the path of this source`,
            `write https://<your host>/webhooks/${name} into webhook.url, unless a gateway rewrites the path`,
          ),
        ]),
  ];
}

export const HEADER_FIX =
  'add the value to the values of the verifier, or write an accepted one into webhook.header.value';

function headerFinding(source: SourceConfig, { header }: WantedWebhook): Finding[] {
  if (isHeaderAccepted(source.verify, header)) return [];
  return [
    warn(
      'header',
      `no verifier of the source accepts the header ${header.name} with the value of webhook.header: every event would be answered 401 and not be sent again`,
      HEADER_FIX,
    ),
  ];
}

function maskedFinding({ seesPersonalData }: TokenClaims): Finding[] {
  if (seesPersonalData !== false) return [];
  return [
    warn(
      'personal data',
      'the API client has no access to personal data (has_psi_access): names, e-mails and phone numbers come masked from the API',
      'switch on “Allow access to sensitive information” for the API client in Capillary, if the relay is to read customers',
    ),
  ];
}

/** @param offered what Capillary lists; undefined if it does not */
function eventFindings({ eventNames }: WantedWebhook, offered: readonly string[] | undefined): Finding[] {
  const known = offered ?? [...CATALOGUE.keys()];
  const where = offered === undefined ? 'is no public event name' : 'is not offered to this organisation';
  return eventNames
    .filter((name) => !known.includes(name))
    .map((name) => {
      const similar = nearest(name, known);
      return warn(
        'events',
        `${name} ${where}`,
        similar === undefined
          ? 'compare it with the list of events in Capillary; names are case-sensitive'
          : `did you mean ${similar}? Names are case-sensitive`,
      );
    });
}

/** Only `rotate` asks the running relay whether it accepts the new value. */
function rotationFinding({ active, headers }: Webhook, { name, value }: WantedWebhook['header']): Finding[] {
  const sent = Object.entries(headers).filter(([key]) => isSameHeader(key, name));
  if (!active || sent.length === 0 || sent.some(([, text]) => text === value)) return [];
  return [
    warn(
      'rotation',
      `Capillary sends another value of ${name}; \`apply\` replaces it without asking the running relay`,
      'use `register rotate`, which first asks whether the relay accepts the new value',
    ),
  ];
}

function matchFindings(match: WebhookMatch, { name, url, header }: WantedWebhook): Finding[] {
  if (match.kind !== 'found') return [];
  const { webhook, by, others } = match;
  return [
    ...rotationFinding(webhook, header),
    ...(by === 'name'
      ? []
      : [
          warn(
            'name',
            `a webhook of the name ${webhook.name} posts to ${shownUrl(url)}; it is used, and keeps its name, which Capillary does not change`,
            `write \`name: ${webhook.name}\` into webhook, so that it is not ${name}`,
          ),
        ]),
    ...(webhook.active
      ? []
      : [warn('active', 'the webhook is inactive: Capillary sends nothing', 'run `register apply`')]),
    ...others.map((other) =>
      warn(
        'other webhooks',
        `the webhook ${other.name} (${other.id}) posts to the same URL: events arrive twice, and the second copies are answered as duplicates`,
        'deactivate it in Capillary if it is not needed; the relay does not change it',
      ),
    ),
  ];
}

/** What a person should know before the webhook is made or changed. */
export function webhookFindings(
  source: SourceConfig,
  wanted: WantedWebhook,
  seen: {
    readonly claims: TokenClaims;
    readonly match: WebhookMatch;
    readonly offered: readonly string[] | undefined;
  },
): readonly Finding[] {
  return [
    ...urlFindings(source, wanted),
    ...headerFinding(source, wanted),
    ...matchFindings(seen.match, wanted),
    ...eventFindings(wanted, seen.offered),
    ...maskedFinding(seen.claims),
  ];
}

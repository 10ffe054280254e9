import type { Finding } from '../config/config-error.ts';
import type { SourceDraft } from '../config/draft.ts';
import type { SourceConfig } from '../config/source-config.ts';
import { checkVerifier } from './check-verifier.ts';
import { createSourceVerifier } from './source-table.ts';

/**
 * Whether the source accepts a webhook of any body because it has this header. Signatures do not
 * count, because static headers are all that Capillary offers.
 * Source: docs/platforms/capillary.md#static-header
 */
export function isHeaderAccepted(
  verify: SourceConfig['verify'],
  { name, value }: { readonly name: string; readonly value: string },
): boolean {
  const usable = verify.filter((verifier) => checkVerifier(verifier) === undefined);
  const verifier = createSourceVerifier({ verify: usable, allowFrom: [] });
  const request = { headers: {}, rawHeaders: [name, value], ip: '', body: Buffer.alloc(0), receivedAt: 0 };
  return verifier.verifyWithoutBody(request).ok;
}

/** Whether a URL ends with the path of the source. */
export function isOwnPath(url: string, source: string): boolean {
  return new URL(url).pathname.replace(/\/$/, '').endsWith(`/webhooks/${source}`);
}

/** Compares `webhook`, which `register` keeps at Capillary, with the rest of its source. */
export function checkWebhook({ name, webhook, verify, ...rest }: SourceDraft): readonly Finding[] {
  if (webhook === undefined) return [];
  const findings: Finding[] = [];
  if ('api' in rest && rest.api === undefined)
    findings.push({
      path: ['webhook'],
      message: 'needs `api`, with which `register` reaches Capillary',
      fix: "add `api` with url, key and secret of Capillary's API, or remove `webhook`",
    });
  if (name !== undefined && !isOwnPath(webhook.url, name))
    findings.push({
      path: ['webhook', 'url'],
      message: `does not end with /webhooks/${name}, the path of this source`,
      fix: `write https://<your host>/webhooks/${name}, unless a gateway rewrites the path`,
      severity: 'warning',
    });
  if (verify !== undefined && !isHeaderAccepted(verify, webhook.header))
    findings.push({
      path: ['webhook', 'header'],
      message: 'is accepted by no verifier of the source: every event would be answered 401',
      fix: `add \`{ type: header, name: ${webhook.header.name}, values: [<the same placeholder>] }\` to \`verify\`, or write a value that it accepts`,
      severity: 'warning',
    });
  return findings;
}

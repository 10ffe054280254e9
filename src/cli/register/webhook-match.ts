import { shownUrl, type Webhook } from '../../capillary/api/webhooks.ts';
import type { WantedWebhook } from './wanted-webhook.ts';

/** Which of the organisation's webhooks is the relay's. */
export type WebhookMatch =
  | {
      readonly kind: 'found';
      readonly webhook: Webhook;
      readonly by: 'name' | 'url';
      /** Other active ones that post to the same URL. */
      readonly others: readonly Webhook[];
    }
  | { readonly kind: 'none' }
  /** Nothing may be changed before somebody has decided. */
  | { readonly kind: 'unclear'; readonly why: string; readonly fix: string };

/** Internal webhooks of Capillary, such as those of Connect+. */
function isForeignType({ type }: Webhook): boolean {
  return type !== '' && type.toUpperCase() !== 'HTTP';
}

function names(webhooks: readonly Webhook[]): string {
  return webhooks.map(({ name }) => name).join(', ');
}

/**
 * By name, else by URL among the active ones: an inactive one with another name is one that
 * somebody has retired. The name is unique.
 * Source: docs/platforms/capillary.md#webhook-object
 */
export function matchWebhook(
  webhooks: readonly Webhook[],
  { name, url }: Pick<WantedWebhook, 'name' | 'url'>,
): WebhookMatch {
  const sameUrl = webhooks.filter(
    (webhook) => webhook.active && webhook.url === url && !isForeignType(webhook),
  );
  const named = webhooks.find((webhook) => webhook.name === name);
  if (named !== undefined && isForeignType(named))
    return {
      kind: 'unclear',
      why: `the webhook ${name} is of the type ${named.type}, which is not one for HTTP`,
      fix: 'write another name into webhook.name',
    };
  if (named !== undefined)
    return { kind: 'found', webhook: named, by: 'name', others: sameUrl.filter(({ id }) => id !== named.id) };
  const [first, ...others] = sameUrl;
  if (first === undefined) return { kind: 'none' };
  if (others.length > 0)
    return {
      kind: 'unclear',
      why: `no webhook has the name ${name}, but several active ones post to ${shownUrl(url)}: ${names(sameUrl)}`,
      fix: 'write the name of the right one into webhook.name, and deactivate the others in Capillary',
    };
  return { kind: 'found', webhook: first, by: 'url', others: [] };
}

import type { Finding } from './config-error.ts';
import type { Draft, SourceDraft } from './draft.ts';

function isSameName(a: SourceDraft, b: SourceDraft): boolean {
  return a.webhook !== undefined && a.webhook.name === b.webhook?.name && a.api?.url === b.api?.url;
}

/** At one organisation: a gateway may give the events of several the same address. */
function isSameUrl(a: SourceDraft, b: SourceDraft): boolean {
  return a.webhook !== undefined && a.webhook.url === b.webhook?.url && a.api?.key === b.api?.key;
}

/**
 * `register` finds a webhook by its name, else by its URL. Two sources with one of them would have
 * one webhook, which each command changes back and forth, and one source would get no events.
 * Source: docs/platforms/capillary.md#webhook-object
 */
export function sharedWebhookFindings({ sources }: Draft): Finding[] {
  return sources.flatMap((source, index): Finding[] => {
    const before = sources.slice(0, index);
    const named = before.findIndex((other) => isSameName(other, source));
    if (named !== -1)
      return [
        {
          path: ['sources', index, 'webhook', 'name'],
          message: `is also that of sources[${named}], and a name is unique in a cluster of Capillary: both sources would have one webhook`,
          fix: 'choose a name for each source',
        },
      ];
    const addressed = before.findIndex((other) => isSameUrl(other, source));
    if (addressed === -1) return [];
    return [
      {
        path: ['sources', index, 'webhook', 'url'],
        message: `is also that of sources[${addressed}], which has the same API client: both sources would have one webhook`,
        fix: `write the URL of this source, which ends with /webhooks/${source.name ?? '<its name>'}`,
      },
    ];
  });
}

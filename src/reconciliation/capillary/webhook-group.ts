import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import { listWebhooks } from '../../capillary/api/webhooks.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import type { CheckProblem } from '../reconciliation-report.ts';
import { problemOf } from './call-problem.ts';

/** Finds the key of the delivery log of a source's webhook, and remembers it. */
export interface WebhookGroup {
  find(client: Pick<CapillaryClient, 'get'>): Promise<{ readonly id: string } | CheckProblem>;
  /** It may be another one: the webhook was made again. */
  forget(): void;
}

export function createWebhookGroup({ name, webhook }: Pick<SourceConfig, 'name' | 'webhook'>): WebhookGroup {
  let id: string | undefined;
  const fix = `capillary-relay register apply --source ${name}`;

  return {
    async find(client) {
      if (id !== undefined) return { id };
      if (webhook === undefined)
        return { code: 'no-webhook', detail: 'the source has no webhook in its configuration', fix };
      const listed = await listWebhooks(client);
      if (!listed.ok) return problemOf(listed.error);
      const found = listed.value.find((one) => one.name === webhook.name);
      if (found === undefined)
        return { code: 'no-webhook', detail: `Capillary has no webhook named ${webhook.name}`, fix };
      if (found.consumerGroupId === undefined) {
        const detail = `Capillary shows no consumer group of the webhook ${webhook.name}`;
        return { code: 'no-log', detail };
      }
      id = found.consumerGroupId;
      return { id };
    },
    forget() {
      id = undefined;
    },
  };
}

import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import { listWebhooks } from '../../capillary/api/webhooks.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { problemOf, RunEnded } from './call-problem.ts';

/**
 * The key of the delivery log of a source's webhook. It is asked for in each run, because a webhook
 * that was made again has another one, and the old log goes on answering.
 * Source: docs/platforms/capillary.md#webhook-object
 * @throws RunEnded if there is none, or Capillary does not answer
 */
export async function consumerGroupOf(
  client: Pick<CapillaryClient, 'get'>,
  { name, webhook }: Pick<SourceConfig, 'name' | 'webhook'>,
): Promise<string> {
  const fix = `capillary-relay register apply --source ${name}`;
  if (webhook === undefined) {
    const detail = 'the source has no webhook in the configuration';
    throw new RunEnded({ code: 'no-webhook', detail, fix: `configure webhook of the source ${name}` });
  }
  const listed = await listWebhooks(client);
  if (!listed.ok) throw new RunEnded(problemOf(listed.error));
  const found = listed.value.find((one) => one.name === webhook.name);
  if (found === undefined) {
    const detail = `Capillary has no webhook with the name ${webhook.name}`;
    throw new RunEnded({ code: 'no-webhook', detail, fix });
  }
  if (found.consumerGroupId === undefined) {
    const detail = `Capillary shows no consumer group of the webhook ${webhook.name}, so it has no log`;
    throw new RunEnded({ code: 'no-log', detail });
  }
  return found.consumerGroupId;
}

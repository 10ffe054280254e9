import { type ApiError, describeApiError } from '../../capillary/api/api-errors.ts';
import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import { deliveryMetrics } from '../../capillary/api/delivery-log.ts';
import { listWebhooks } from '../../capillary/api/webhooks.ts';
import { isLoopback } from '../../config/address-checks.ts';
import type { Config } from '../../config/config-schema.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { fail, type Finding, ok, warn } from './finding.ts';

const HOUR_MS = 3_600_000;
const ACCESS_FIX =
  'add Read on Webhooks to the access group of the API client in InTouch: Organization Settings > Tools > Authentication';
const REGISTER_FIX = 'start the relay and run `capillary-relay register apply`, or correct webhook.name';
const AGAIN_FIX = 'try again; what was not compared is compared later';

function failureOf(check: string, error: ApiError): Finding {
  if (error.kind === 'forbidden')
    return fail(check, `the access group lacks ${error.missing ?? 'Read on Webhooks'}`, ACCESS_FIX);
  return warn(check, describeApiError(error), AGAIN_FIX);
}

/** Whether the log of the webhook can be read; two calls. @param now epoch ms */
export async function logFindings(
  { name, reconcile, webhook }: SourceConfig,
  client: Pick<CapillaryClient, 'get'>,
  now: number,
): Promise<Finding[]> {
  if (reconcile === undefined || webhook === undefined) return [];
  const check = `reconcile/${name}`;
  const webhooks = await listWebhooks(client);
  if (!webhooks.ok) return [failureOf(check, webhooks.error)];
  const found = webhooks.value.find((one) => one.name === webhook.name);
  // Before the first start there is none yet: `register apply` needs a relay that answers.
  if (found === undefined)
    return [warn(check, `Capillary has no webhook named ${webhook.name}`, REGISTER_FIX)];
  if (found.consumerGroupId === undefined)
    return [warn(check, `Capillary shows no log of the webhook ${webhook.name} yet`, AGAIN_FIX)];
  const metrics = await deliveryMetrics(client, found.consumerGroupId, { from: now - HOUR_MS, to: now });
  if (!metrics.ok) return [failureOf(check, metrics.error)];
  return [ok(check, `the log has ${metrics.value.total} events of the last hour`)];
}

/** Adobe has to reach the address of the notifications from outside. */
export function notificationFindings({ admin, destinations }: Config): Finding[] {
  return destinations
    .filter(({ reconcile }) => reconcile?.notifications !== undefined)
    .map(({ name }) => {
      const check = `notifications/${name}`;
      return isLoopback(admin.host)
        ? warn(
            check,
            `Adobe I/O Events cannot reach POST /hooks/adobe: the admin port listens on ${admin.host} only`,
            'have a proxy on this machine forward that one path from the internet, with TLS; failed batches are found without it at each comparison',
          )
        : ok(check, 'POST /hooks/adobe of the admin port accepts notifications; Adobe must reach that path');
    });
}

import type { CapillaryOptions } from '../../../../src/simulator/capillary/api/capillary-options.ts';
import type { GeneratedEvent } from '../../../../src/simulator/capillary/capillary-events.ts';
import { until } from '../../../helpers/until.ts';
import { aWebhook, withCapillary } from './capillary-caller.ts';
import { receivingRelay, type WebhookHandler } from './receiving-relay.ts';

export const ORG = 100_737;

/** An event with everything that enrichment can add. */
export function anEvent(number: number, changes: Record<string, unknown> = {}): GeneratedEvent {
  const eventId = `3c1f0a52-7a54-4e4a-9d3c-${String(number).padStart(12, '0')}`;
  const body = {
    eventName: 'transactionAdded',
    eventId,
    orgId: ORG,
    refId: `${ORG}_${number}`,
    apiRequestId: `request-${number}`,
    createdAt: 1_790_000_000_000 + number,
    data: {
      customerIdentifiers: {
        customerId: 520_000_000 + number,
        instore: { mobile: '919800000001', externalId: 'TL-1', cardNumbers: ['7070'] },
        wechat: { accounts: [] },
        web_engage: { accounts: [] },
      },
      enteredBy: { id: 9_000, till: { code: 't1' }, store: { code: 's1' } },
      amount: 12.5,
    },
    ...changes,
  };
  return { name: body.eventName, variant: 'plain', body: JSON.stringify(body), eventId };
}

/** A simulator with a webhook to a receiver that answers as `handle` says. */
export async function withDelivery(
  handle: WebhookHandler,
  {
    webhook = {},
    now,
    ...capillary
  }: CapillaryOptions & { webhook?: Record<string, unknown>; now?: () => number } = {},
) {
  const relay = await receivingRelay(handle);
  const rig = await withCapillary({ retryScale: 0, ...capillary }, now);
  const body = aWebhook({ webHookUrl: relay.url, ...webhook });
  const made = (await rig.call('POST', '/v3/webHooks', { body })).json.data;
  const { capillary: twin } = rig.simulator;
  return {
    ...rig,
    relay,
    twin,
    made,
    path: `/v3/webHooks/${made.webHookId}`,
    groupPath: `/v3/events/consumer-groups/${made.consumerGroupId}`,
    body,
    raise: (...numbers: number[]) => numbers.forEach((number) => twin.raise(anEvent(number))),
    /** Resolves when every event has been delivered or given up. */
    settled: () => until(() => twin.log.list(({ status }) => status === 'IN_PROGRESS').length === 0),
  };
}

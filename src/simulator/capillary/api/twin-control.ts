import type { FastifyInstance } from 'fastify';
import type { CapillaryTwin } from './capillary-twin.ts';
import { countDeliveries, type DeliveryCounts } from './delivery-records.ts';
import { registerEventRuns } from './event-run-control.ts';

/** A webhook without the values of its headers. */
export interface WebhookSummary {
  readonly webHookId: string;
  readonly consumerGroupId: string;
  readonly orgId: number;
  readonly name: string;
  readonly active: boolean;
  readonly webHookUrl: string;
  readonly eventNames: readonly string[];
  readonly maxAllowedConnections: number;
  readonly headerNames: readonly string[];
  readonly deliveries: DeliveryCounts;
}

/** What the control API shows of the simulated Capillary. */
export interface CapillarySummary {
  readonly orgId: number;
  /** Events raised. */
  readonly raised: number;
  /** Tokens handed out. */
  readonly tokens: number;
  readonly deliveries: DeliveryCounts;
  readonly webhooks: readonly WebhookSummary[];
  /** Calls by route and outcome. */
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

function capillarySummary(twin: CapillaryTwin): CapillarySummary {
  return {
    orgId: twin.org,
    raised: twin.raised(),
    tokens: twin.tokens.generated(),
    deliveries: countDeliveries(twin.log.list(() => true)),
    webhooks: twin.webhooks.list(twin.org).map(({ id, consumerGroupId, orgId, fields }) => ({
      webHookId: id,
      consumerGroupId,
      orgId,
      name: fields.name,
      active: fields.active,
      webHookUrl: fields.webHookUrl,
      eventNames: fields.eventNames,
      maxAllowedConnections: fields.maxAllowedConnections,
      headerNames: Object.keys(fields.webHookHeaders),
      deliveries: countDeliveries(twin.log.list(({ webhookId }) => webhookId === id)),
    })),
    calls: Object.fromEntries(
      [...twin.calls].map(([route, outcomes]) => [route, Object.fromEntries(outcomes)]),
    ),
  };
}

/** The part of the control API that is about Capillary. */
export function registerTwinControl(app: FastifyInstance, twin: CapillaryTwin): void {
  app.get('/_sim/capillary', async () => capillarySummary(twin));
  registerEventRuns(app, twin);
  app.post('/_sim/capillary/tokens/revoke', async () => ({ revoked: twin.tokens.revoke() }));
}

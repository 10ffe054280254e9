import type { FastifyInstance } from 'fastify';
import { isJsonObject, type JsonValue } from '../../../capillary/json.ts';
import type { GeneratedEvent } from '../capillary-events.ts';
import type { CapillaryTwin } from './capillary-twin.ts';
import { countDeliveries, type DeliveryCounts } from './delivery-records.ts';

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

export function capillarySummary(twin: CapillaryTwin): CapillarySummary {
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

/** The flat event; undefined if it is anything else. */
function eventOf(body: JsonValue): GeneratedEvent | undefined {
  if (!isJsonObject(body) || typeof body.eventName !== 'string') return undefined;
  return {
    name: body.eventName,
    variant: 'plain',
    body: JSON.stringify(body),
    ...(typeof body.eventId === 'string' ? { eventId: body.eventId } : {}),
  };
}

/** The flat events in a body; undefined if it is anything else than a list of them. */
function readEvents(body: unknown): GeneratedEvent[] | undefined {
  try {
    const list = JSON.parse(String(body)) as JsonValue;
    if (!Array.isArray(list)) return undefined;
    const events = list.map(eventOf).filter((event) => event !== undefined);
    return events.length === list.length ? events : undefined;
  } catch {
    return undefined;
  }
}

/** The part of the control API that is about Capillary. */
export function registerTwinControl(app: FastifyInstance, twin: CapillaryTwin): void {
  app.get('/_sim/capillary', async () => capillarySummary(twin));
  app.post('/_sim/capillary/events', async (request, reply) => {
    const events = readEvents(request.body);
    if (!events) {
      return reply.code(400).send({ error: 'bad-events', issues: ['must be a list of flat events'] });
    }
    for (const event of events) twin.raise(event);
    return { raised: events.length };
  });
  app.post('/_sim/capillary/tokens/revoke', async () => ({ revoked: twin.tokens.revoke() }));
}

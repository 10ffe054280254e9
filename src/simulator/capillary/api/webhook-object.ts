import type { JsonObject } from '../../../capillary/json.ts';

/** What a caller sets in a webhook (docs/platforms/capillary.md#webhook-object). */
export interface WebhookFields {
  readonly name: string;
  readonly active: boolean;
  readonly eventNames: readonly string[];
  readonly webHookUrl: string;
  readonly webHookType: string;
  readonly methodType: string;
  readonly webHookHeaders: Readonly<Record<string, string>>;
  /** Parallel calls. */
  readonly maxAllowedConnections: number;
  readonly slaInSeconds: number;
  /** Such as `Instore` and `cardnumbers`. */
  readonly customerIdentifiersToBeEnriched: readonly string[];
  readonly tillDetailsEnrichmentEnabled: boolean;
  readonly storeDetailsEnrichmentEnabled: boolean;
  readonly awardedReferenceEnrichmentEnabled: boolean;
  readonly availablePointsBalanceEnrichmentEnabled: boolean;
  readonly neoEnrichment: JsonObject;
  readonly listenToChildEvents: boolean;
}

/** Fields that the answer to a change shows as they were before it. */
export type StaleFields = Pick<WebhookFields, 'methodType' | 'maxAllowedConnections'>;

/** A webhook with what Capillary assigns. Times are epoch ms. */
export interface TwinWebhook {
  /** 24 hex digits. */
  readonly id: string;
  readonly consumerGroupId: string;
  readonly orgId: number;
  readonly fields: WebhookFields;
  readonly stale: StaleFields;
  readonly createdAt: number;
  /** Code of the till of the client that made it. */
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly updatedBy: string;
  /** Whether the twin posts events to it: not to those that other teams have from the start. */
  readonly delivers: boolean;
}

/** What a field has that a caller leaves out, when it is made and when it is replaced. */
export const FIELD_DEFAULTS: WebhookFields = {
  name: '',
  active: false,
  eventNames: [],
  webHookUrl: '',
  webHookType: 'HTTP',
  methodType: 'POST',
  webHookHeaders: {},
  maxAllowedConnections: 1,
  slaInSeconds: 0,
  customerIdentifiersToBeEnriched: [],
  tillDetailsEnrichmentEnabled: false,
  storeDetailsEnrichmentEnabled: false,
  awardedReferenceEnrichmentEnabled: false,
  availablePointsBalanceEnrichmentEnabled: false,
  neoEnrichment: {},
  listenToChildEvents: false,
};

function tillOf(code: string): JsonObject {
  return { id: 9_001, code, name: code, type: 'TILL' };
}

function attributionOf(webhook: TwinWebhook): JsonObject {
  return {
    createdOn: webhook.createdAt,
    createdOnISO: new Date(webhook.createdAt).toISOString(),
    lastUpdatedOn: webhook.updatedAt,
    lastUpdatedOnISO: new Date(webhook.updatedAt).toISOString(),
    createdBy: tillOf(webhook.createdBy),
    lastUpdatedBy: tillOf(webhook.updatedBy),
  };
}

/**
 * A webhook as an answer shows it, header values in clear text. `noOfRetryAttempts` is always 0.
 *
 * @param changed fields that the answer shows differently
 */
export function webhookBody(webhook: TwinWebhook, changed: Partial<StaleFields> = {}): JsonObject {
  const { fields } = webhook;
  return {
    webHookId: webhook.id,
    ...fields,
    eventNames: [...fields.eventNames],
    customerIdentifiersToBeEnriched: [...fields.customerIdentifiersToBeEnriched],
    webHookHeaders: { ...fields.webHookHeaders },
    ...changed,
    noOfRetryAttempts: 0,
    consumerGroupId: webhook.consumerGroupId,
    attribution: attributionOf(webhook),
  };
}

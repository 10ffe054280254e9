import { randomBytes, randomUUID } from 'node:crypto';
import { FIELD_DEFAULTS, type TwinWebhook, type WebhookFields } from './webhook-object.ts';

/** A webhook that exists from the start: one of another team, or of another organisation. */
export interface PresetWebhook extends Partial<WebhookFields> {
  readonly name: string;
  /** Default the organisation of the twin. */
  readonly orgId?: number;
  /** Whether the twin posts events to it; default false. */
  readonly delivers?: boolean;
}

/** The webhooks of the cluster. */
export interface WebhookStore {
  /** All of the organisation, active and inactive, in the order in which they were made. */
  list(orgId: number): TwinWebhook[];
  get(orgId: number, id: string): TwinWebhook | undefined;
  byConsumerGroup(orgId: number, consumerGroupId: string): TwinWebhook | undefined;
  /** Whether any organisation of the cluster has the name, also for a deleted webhook. */
  isNameTaken(name: string): boolean;
  create(orgId: number, fields: WebhookFields, by: string): TwinWebhook;
  /** Replaces its fields; the name stays. */
  replace(webhook: TwinWebhook, fields: WebhookFields, by: string): TwinWebhook;
  /** Back to the presets. */
  clear(): void;
}

/**
 * @param now epoch ms
 * @param onChange called after a webhook was made or replaced
 */
export function createWebhookStore(
  presets: readonly PresetWebhook[],
  orgId: number,
  now: () => number,
  onChange: (webhook: TwinWebhook) => void,
): WebhookStore {
  const webhooks = new Map<string, TwinWebhook>();

  const put = (webhook: TwinWebhook): TwinWebhook => {
    webhooks.set(webhook.id, webhook);
    onChange(webhook);
    return webhook;
  };

  const create = (org: number, fields: WebhookFields, by: string, delivers: boolean): TwinWebhook => {
    const { methodType, maxAllowedConnections } = fields;
    const at = now();
    return put({
      id: randomBytes(12).toString('hex'),
      consumerGroupId: randomUUID(),
      orgId: org,
      fields,
      stale: { methodType, maxAllowedConnections },
      createdAt: at,
      createdBy: by,
      updatedAt: at,
      updatedBy: by,
      delivers,
    });
  };

  const addPresets = (): void => {
    for (const { orgId: org = orgId, delivers = false, ...fields } of presets) {
      create(org, { ...FIELD_DEFAULTS, ...fields }, 'other.till', delivers);
    }
  };

  addPresets();
  return {
    list: (org) => [...webhooks.values()].filter((webhook) => webhook.orgId === org),
    get: (org, id) => {
      const webhook = webhooks.get(id);
      return webhook?.orgId === org ? webhook : undefined;
    },
    byConsumerGroup: (org, consumerGroupId) =>
      [...webhooks.values()].find(
        (webhook) => webhook.orgId === org && webhook.consumerGroupId === consumerGroupId,
      ),
    isNameTaken: (name) => [...webhooks.values()].some(({ fields }) => fields.name === name),
    create: (org, fields, by) => create(org, fields, by, true),
    replace: (webhook, fields, by) => {
      const { name, methodType, maxAllowedConnections } = webhook.fields;
      return put({
        ...webhook,
        fields: { ...fields, name },
        stale: { methodType, maxAllowedConnections },
        updatedAt: now(),
        updatedBy: by,
      });
    },
    clear: () => {
      webhooks.clear();
      addPresets();
    },
  };
}

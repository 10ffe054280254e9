import type { Answer } from '../../adobe/exchange.ts';
import { apiError, failure, v3Answer } from './api-answers.ts';
import type { CapillaryCall, CapillaryRoute } from './api-route.ts';
import { readWebhookFields, REQUIRED_TO_CREATE, REQUIRED_TO_REPLACE } from './webhook-fields.ts';
import { type TwinWebhook, webhookBody } from './webhook-object.ts';

/** Not documented; the relay must not depend on it. */
const NAME_TAKEN = 51_001;

function refusal(code: number, message: string): Answer {
  return apiError('v3', 400, code, message);
}

function found({ twin, caller, params }: CapillaryCall): TwinWebhook | undefined {
  return twin.webhooks.get(caller.orgId, params.webHookId ?? '');
}

function listWebhooks({ twin, caller }: CapillaryCall): Answer {
  const possibleValues = twin.settings.neoDataflows.map(({ label, value }) => ({ label, value }));
  return v3Answer(
    twin.webhooks.list(caller.orgId).map((webhook) => ({ ...webhookBody(webhook), possibleValues })),
  );
}

function createWebhook({ twin, caller, body }: CapillaryCall): Answer {
  const read = readWebhookFields(body, REQUIRED_TO_CREATE);
  if ('problem' in read) return refusal(read.problem.code, read.problem.message);
  const { fields } = read;
  if (twin.webhooks.isNameTaken(fields.name)) {
    return refusal(NAME_TAKEN, 'A webhook with this name already exists');
  }
  return v3Answer(webhookBody(twin.webhooks.create(caller.orgId, fields, caller.till)));
}

/**
 * Replaces the webhook. The answer shows the method and the connections as they were before: only a
 * following GET tells what is stored (docs/platforms/capillary.md#webhook-object).
 */
function replaceWebhook(call: CapillaryCall): Answer {
  const { twin, caller, body } = call;
  const webhook = found(call);
  if (!webhook) return failure('v3', 404, 'Webhook not found');
  const read = readWebhookFields(body, REQUIRED_TO_REPLACE);
  if ('problem' in read) return refusal(read.problem.code, read.problem.message);
  const replaced = twin.webhooks.replace(webhook, read.fields, caller.till);
  return v3Answer(webhookBody(replaced, replaced.stale));
}

/** Deactivates the webhook; it stays in the list, and its name stays taken. */
function deleteWebhook(call: CapillaryCall): Answer {
  const { twin, caller } = call;
  const webhook = found(call);
  if (!webhook) return failure('v3', 404, 'Webhook not found');
  const fields = { ...webhook.fields, active: false };
  return v3Answer(webhookBody(twin.webhooks.replace(webhook, fields, caller.till), webhook.stale));
}

const READ = { resource: 'Webhooks', rights: ['read'] } as const;
const WRITE = { resource: 'Webhooks', rights: ['write'] } as const;
const BOTH = { resource: 'Webhooks', rights: ['read', 'write'] } as const;

const COLLECTION = '/v3/webHooks';
const ONE = '/v3/webHooks/:webHookId';

/** The configuration of webhooks. */
export const WEBHOOK_ROUTES: readonly CapillaryRoute[] = [
  { method: 'GET', path: COLLECTION, access: READ, answer: listWebhooks },
  { method: 'POST', path: COLLECTION, access: WRITE, answer: createWebhook },
  { method: 'PUT', path: ONE, access: BOTH, answer: replaceWebhook },
  { method: 'DELETE', path: ONE, access: BOTH, answer: deleteWebhook },
];

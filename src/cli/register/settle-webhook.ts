import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiError, describeApiError } from '../../capillary/api/api-errors.ts';
import type { ApiResult } from '../../capillary/api/api-answer.ts';
import type { CapillaryClient } from '../../capillary/api/capillary-client.ts';
import {
  createWebhook,
  listWebhooks,
  replaceWebhook,
  shownUrl,
  type Webhook,
} from '../../capillary/api/webhooks.ts';
import type { JsonObject } from '../../capillary/json.ts';
import type { WantedWebhook } from './wanted-webhook.ts';
import { matchWebhook } from './webhook-match.ts';

/** The failure of one source, in one line; `fix` says what to do. */
export class RegisterError extends Error {
  override name = 'RegisterError';
  readonly fix: string | undefined;

  constructor(message: string, fix?: string) {
    super(message);
    this.fix = fix;
  }
}

/** What an access group lacks, or how to find the cause. */
function fixOf({ kind, missing }: ApiError): string | undefined {
  if (kind === 'forbidden')
    return `in Capillary, give the access group of the API client ${missing ?? 'Write on Webhooks'} (InTouch: Organization Settings > Tools > Authentication)`;
  if (kind === 'unauthorized')
    return 'compare api.key, api.secret and the cluster in api.url with the API client in Capillary';
  if (kind === 'network' || kind === 'foreign')
    return 'compare api.url with your cluster, and check the proxy between this machine and Capillary';
  if (kind === 'not-found') return 'compare api.url with your cluster: it has the host only, without a path';
  if (kind === 'busy' || kind === 'unavailable') return 'Capillary is overloaded or failing; try again later';
  return kind === 'throttled' ? 'try again later, or lower api.callsPerMinute' : undefined;
}

/** The error of a call, with what to do about it. */
export function registerError(error: ApiError): RegisterError {
  return new RegisterError(describeApiError(error), fixOf(error));
}

/** @throws RegisterError if it failed */
export function valueOf<T>(result: ApiResult<T>): T {
  if (!result.ok) throw registerError(result.error);
  return result.value;
}

/** A change of the webhook that is judged by what a GET shows afterwards. */
export interface WebhookGoal {
  /** To find the webhook by. */
  readonly wanted: Pick<WantedWebhook, 'name' | 'url'>;
  /** The object of a POST if there is none; absent: it must exist. */
  readonly create?: JsonObject;
  /** Fields that differ from the goal; empty if it is reached. */
  readonly differences: (webhook: Webhook) => readonly string[];
  /** Fields among them that Capillary may refuse to set. */
  readonly optional?: ReadonlySet<string>;
  /** The complete object of a PUT. */
  readonly replace: (webhook: Webhook) => JsonObject;
}

export interface SettledWebhook {
  readonly webhook: Webhook;
  readonly did: 'nothing' | 'created' | 'changed';
  /** Optional fields that Capillary has left as they were. */
  readonly left: readonly string[];
}

type Client = Pick<CapillaryClient, 'get' | 'post' | 'put'>;

/** Attempts to write, of which each begins with what a GET shows. */
const MAX_WRITES = 3;
/** How often, and after which time, a successful write is looked for again. */
const READS_AFTER_WRITE = 3;
const READ_DELAY_MS = 1_000;

/**
 * The webhook of this name or URL; undefined without one.
 * @throws RegisterError
 */
export async function findWebhook(
  client: Pick<CapillaryClient, 'get'>,
  wanted: WebhookGoal['wanted'],
): Promise<Webhook | undefined> {
  const match = matchWebhook(valueOf(await listWebhooks(client)), wanted);
  if (match.kind === 'unclear') throw new RegisterError(match.why, match.fix);
  return match.kind === 'found' ? match.webhook : undefined;
}

/** What a GET shows. */
interface Seen {
  readonly webhook: Webhook | undefined;
  readonly differences: readonly string[];
}

async function look(client: Client, goal: WebhookGoal): Promise<Seen> {
  const webhook = await findWebhook(client, goal.wanted);
  if (webhook === undefined && goal.create === undefined)
    throw new RegisterError(
      `there is no webhook with the name ${goal.wanted.name} or the URL ${shownUrl(goal.wanted.url)}`,
      'create it with `capillary-relay register apply`',
    );
  return { webhook, differences: webhook === undefined ? [] : goal.differences(webhook) };
}

function isReached({ webhook, differences }: Seen, { optional }: WebhookGoal, hasWritten: boolean): boolean {
  if (webhook === undefined) return false;
  return differences.every((field) => hasWritten && optional?.has(field) === true);
}

function write(client: Client, { create = {}, replace }: WebhookGoal, { webhook }: Seen) {
  return webhook === undefined
    ? createWebhook(client, create)
    : replaceWebhook(client, webhook.id, replace(webhook));
}

/** A name is unique in the cluster, and stays taken; the code of that is not documented. */
function refusal(error: ApiError, { wanted }: WebhookGoal, { webhook }: Seen): RegisterError {
  if (webhook !== undefined || error.kind !== 'invalid') return registerError(error);
  return new RegisterError(
    describeApiError(error),
    `write another name into webhook.name if another organisation of the cluster has a webhook ${wanted.name}, or had one`,
  );
}

/**
 * Makes or changes the webhook until a GET shows the goal: what POST and PUT answer is not to be
 * trusted, and their answer can be lost after they took effect. So every attempt begins with a
 * look at what exists, and a webhook that has been made is never made again.
 * Source: docs/platforms/capillary.md#webhook-object
 * @throws RegisterError
 */
export async function settleWebhook(
  client: Client,
  goal: WebhookGoal,
  wait: (ms: number) => Promise<unknown> = sleep,
): Promise<SettledWebhook> {
  let seen = await look(client, goal);
  let did: SettledWebhook['did'] = 'nothing';
  for (let writes = 1; !isReached(seen, goal, did !== 'nothing'); writes += 1) {
    const before = seen;
    const result = await write(client, goal, before);
    const mayHaveLanded = result.ok || result.error.ambiguous;
    if (mayHaveLanded && did === 'nothing') did = before.webhook === undefined ? 'created' : 'changed';
    for (let reads = 1; ; reads += 1) {
      seen = await look(client, goal);
      if (!result.ok || isReached(seen, goal, true) || reads === READS_AFTER_WRITE) break;
      await wait(READ_DELAY_MS);
    }
    if (isReached(seen, goal, did !== 'nothing')) break;
    // Another call may have made it at the same time: then it is changed.
    const isNew = before.webhook === undefined && seen.webhook !== undefined;
    if (!result.ok && !result.error.ambiguous && !isNew) throw refusal(result.error, goal, before);
    if (writes < MAX_WRITES) continue;
    if (!result.ok) throw registerError(result.error);
    throw new RegisterError(
      `Capillary answered with success, but a GET shows ${seen.webhook === undefined ? 'no webhook' : `other values of ${seen.differences.join(', ')}`}`,
      "compare the webhook in Capillary's Event Notification settings, or ask Capillary's support",
    );
  }
  const { webhook, differences } = seen;
  if (webhook === undefined) throw new RegisterError('the webhook was not found after it was made');
  return { webhook, did, left: differences };
}

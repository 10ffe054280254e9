import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { timeField } from '../../admin/time-field.ts';
import type { Config } from '../../config/config-schema.ts';
import {
  DATABASE_FILE,
  isInUse,
  readStoppedBodies,
  type StoredBody,
} from '../../journal/sqlite/offline/stopped-store.ts';
import { adminAddress } from '../admin-address.ts';
import { type AdminClient, createAdminClient } from '../admin-client.ts';
import type { EventAnswer, RecordAnswer } from '../admin-answers.ts';
import { CommandError } from '../command-error.ts';

/** Selects stored events. Times are epoch ms or any form that the admin API reads. */
export interface StoredOptions {
  readonly source?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  /** Admin port of the running relay, instead of the one in the configuration. */
  readonly url?: string;
}

type StoredSelection = Omit<StoredOptions, 'url'> & { readonly limit: number };

/** Number of stored events to read, unless --limit says otherwise. */
const DEFAULT_EVENT_LIMIT = 500;

const PAGE_SIZE = 500;
/**
 * Time between two requests. Uses a quarter of the rate that the admin port accepts from one
 * address, which leaves room for operators and probes.
 */
const REQUEST_INTERVAL_MS = 20;
const STATES = 'pending,delivered,ignored,dead';

/**
 * The newest stored events of the selection, oldest first. They are read from the store of a
 * stopped relay. A running relay locks its store, so it is queried through its admin API, at a low
 * rate.
 * @param file path of the configuration, if it was given on the command line
 */
export async function readStoredBodies(
  config: Config,
  file: string | undefined,
  { source, since, until, url, limit = DEFAULT_EVENT_LIMIT }: StoredOptions,
): Promise<readonly StoredBody[]> {
  const selection = {
    limit,
    ...(source === undefined ? {} : { source }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  };
  const { engine, path, encryptionKeys } = config.store;
  if (engine === 'sqlite' && url === undefined && existsSync(join(path, DATABASE_FILE))) {
    try {
      return readStoppedBodies(path, encryptionKeys, filterOf(selection), selection.limit);
    } catch (error) {
      if (!isInUse(error)) throw error;
    }
  }
  const token = process.env['RELAY_ADMIN_TOKEN'];
  const options = {
    ...(file === undefined ? {} : { config: file }),
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  };
  return fetchBodies(createAdminClient(await adminAddress(options)), selection);
}

async function fetchBodies(
  client: AdminClient,
  { limit, ...filter }: StoredSelection,
): Promise<readonly StoredBody[]> {
  const events: EventAnswer[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filter, state: STATES, limit: Math.min(PAGE_SIZE, limit - events.length), cursor };
    const page = await client.get<{ events: readonly EventAnswer[]; next?: string | null }>('/events', query);
    events.push(...page.events);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && events.length < limit);

  const bodies: StoredBody[] = [];
  for (const { receipt } of events.toReversed()) {
    const [record] = await Promise.all([
      client.get<RecordAnswer>(`/events/${encodeURIComponent(receipt)}`, { body: 'true' }),
      sleep(REQUEST_INTERVAL_MS),
    ]);
    bodies.push(bodyOf(record));
  }
  return bodies;
}

function bodyOf({
  receipt,
  source,
  identity = '',
  orgId = 0,
  receivedAt,
  body,
  bodyBase64,
}: RecordAnswer): StoredBody {
  return {
    receipt,
    source,
    identity,
    orgId,
    receivedAt: Date.parse(receivedAt),
    ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    ...(bodyBase64 === undefined ? {} : { body: Buffer.from(bodyBase64, 'base64') }),
  };
}

function filterOf({ source, since, until }: StoredSelection) {
  return {
    ...(source === undefined ? {} : { source }),
    ...(since === undefined ? {} : { since: epochMsOf('--since', since) }),
    ...(until === undefined ? {} : { until: epochMsOf('--until', until) }),
  };
}

/** Parses a time as the admin API does. */
function epochMsOf(option: string, text: string): number {
  const read = timeField().safeParse(text);
  if (read.success) return read.data;
  throw new CommandError(`${option} ${read.error.issues[0]?.message ?? 'is not a time'}`);
}

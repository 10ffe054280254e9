import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { time } from '../admin/fields.ts';
import type { Config } from '../config/schema.ts';
import { DATABASE_FILE } from '../journal/sqlite/database.ts';
import { readStoppedBodies, type StoredBody } from '../journal/sqlite/stopped-bodies.ts';
import { isInUse } from '../journal/sqlite/stopped-store.ts';
import { adminAddress } from './admin-address.ts';
import type { EventAnswer, RecordAnswer } from './admin-answers.ts';
import { type AdminClient, createAdminClient } from './admin-client.ts';
import { CommandError } from './command-error.ts';

/** Which stored events; times as epoch ms in text or as the admin API reads them. */
export interface StoredSelection {
  readonly source?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
}

const PAGE = 500;
/** ms between two requests: a quarter of what the admin port takes from one address, so that operators and probes are not in the way. */
const PACE = 20;
const STATES = 'pending,delivered,ignored,dead';

/**
 * The newest stored events of the selection, oldest first. The file of a running relay is its alone, so a running one is asked through its
 * admin API, slowly; of a stopped one the file is read.
 * @param file path of its configuration
 */
export async function readStoredBodies(
  config: Config,
  file: string,
  url: string | undefined,
  selection: StoredSelection,
): Promise<readonly StoredBody[]> {
  const { path, encryptionKeys } = config.store;
  if (url === undefined && existsSync(join(path, DATABASE_FILE))) {
    try {
      return readStoppedBodies(path, encryptionKeys, filterOf(selection), selection.limit);
    } catch (error) {
      if (!isInUse(error)) throw error;
    }
  }
  const token = process.env['RELAY_ADMIN_TOKEN'];
  const options = {
    config: file,
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  };
  return askForBodies(createAdminClient(await adminAddress(options)), selection);
}

async function askForBodies(
  client: AdminClient,
  { limit, ...filter }: StoredSelection,
): Promise<readonly StoredBody[]> {
  const events: EventAnswer[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filter, state: STATES, limit: Math.min(PAGE, limit - events.length), cursor };
    const page = await client.get<{ events: readonly EventAnswer[]; next?: string | null }>('/events', query);
    events.push(...page.events);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined && events.length < limit);

  const bodies: StoredBody[] = [];
  for (const { receipt } of events.toReversed()) {
    const [record] = await Promise.all([
      client.get<RecordAnswer>(`/events/${encodeURIComponent(receipt)}`, { body: 'true' }),
      sleep(PACE),
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
    ...(since === undefined ? {} : { since: instantOf('--since', since) }),
    ...(until === undefined ? {} : { until: instantOf('--until', until) }),
  };
}

/** Reads a time as the admin API does. */
function instantOf(option: string, text: string): number {
  const read = time().safeParse(text);
  if (read.success) return read.data;
  throw new CommandError(`${option} ${read.error.issues[0]?.message ?? 'is no time'}`);
}

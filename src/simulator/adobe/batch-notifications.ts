import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { JsonValue } from '../../capillary/json.ts';
import type { Sandbox, TwinBatch } from './platform/sandbox.ts';

/** A registration for the events of AEP at Adobe I/O Events. */
export interface NotificationOptions {
  /** Such as https://relay.example/hooks/adobe. */
  readonly url: string;
  /** Of the project with the registration. */
  readonly clientId: string;
  /** `cloud`: in the form of CloudEvents; default `event`. */
  readonly form?: 'event' | 'cloud' | undefined;
}

/** A notification, and how it was answered. */
export interface SentNotification {
  readonly batchId: string;
  /** `ing_load_success` or `ing_load_failure`. */
  readonly code: string;
  /** Of each attempt; 0 without an answer. */
  readonly statuses: readonly number[];
}

/** Sends signed notifications about batches (docs/platforms/adobe.md#notifications). */
export interface BatchNotifications {
  /** Undefined: none are sent. */
  set(options: NotificationOptions | undefined): void;
  batchEnded(sandbox: Sandbox, batch: TwinBatch): void;
  /** Public key by path, in PEM form. */
  publicKey(path: string): string | undefined;
  /** The headers of Adobe for these bytes. */
  signatureOf(body: string | Buffer): Record<string, string>;
  /** Those that are not to be repeated any more. */
  sent(): readonly SentNotification[];
  /** Resolves when nothing is being sent. */
  close(): Promise<void>;
}

const KEY_PATHS = ['/prod/keys/pub-key-simulator1.pem', '/prod/keys/pub-key-simulator2.pem'] as const;
const MAX_ATTEMPTS = 5;
const FIRST_DELAY_MS = 200;
const TIMEOUT_MS = 10_000;
const MAX_SENT = 10_000;

function bodyOf(
  { clientId, form = 'event' }: NotificationOptions,
  { name, flows }: Sandbox,
  batch: TwinBatch,
  code: string,
): JsonValue {
  const event = {
    'xdm:ingestionId': batch.id,
    'xdm:imsOrg': flows.get(batch.flowId)?.imsOrgId ?? '',
    'xdm:completed': batch.completedAt,
    'xdm:datasetId': batch.datasetId,
    'xdm:eventCode': code,
    'xdm:sandboxName': name,
    'xdm:successfulRecords': code === 'ing_load_success' ? batch.records.length : 0,
    'xdm:failedRecords': code === 'ing_load_failure' ? batch.records.length : 0,
  };
  if (form === 'event') return { event_id: randomUUID(), event, recipient_client_id: clientId };
  return {
    specversion: '1.0',
    type: code,
    source: 'urn:uuid:00000000-0000-0000-0000-000000000000',
    id: randomUUID(),
    time: new Date(batch.completedAt).toISOString(),
    datacontenttype: 'application/json',
    recipientclientid: clientId,
    data: event,
  };
}

export function createBatchNotifications(): BatchNotifications {
  let options: NotificationOptions | undefined;
  let keys: ReturnType<typeof newKeys> | undefined;
  const closing = new AbortController();
  const sending = new Set<Promise<void>>();
  const sent: SentNotification[] = [];
  // Making them takes a while, and most users need none.
  const keyPair = () => (keys ??= newKeys());

  const signatureOf: BatchNotifications['signatureOf'] = (body) => {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const signature = sign('RSA-SHA256', bytes, keyPair().privateKey).toString('base64');
    return {
      'x-adobe-digital-signature-1': signature,
      'x-adobe-digital-signature-2': signature,
      'x-adobe-public-key1-path': KEY_PATHS[0],
      'x-adobe-public-key2-path': KEY_PATHS[1],
    };
  };

  const post = async (url: string, body: string): Promise<number> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const headers = { 'content-type': 'application/json', ...signatureOf(body) };
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, signal });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  };

  const send = async (url: string, body: string, batchId: string, code: string): Promise<void> => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < MAX_ATTEMPTS && !closing.signal.aborted; attempt += 1) {
      const status = await post(url, body);
      statuses.push(status);
      if (status >= 200 && status < 300) break;
      await pause(FIRST_DELAY_MS * 2 ** attempt, closing.signal);
    }
    sent.push({ batchId, code, statuses });
    if (sent.length > MAX_SENT) sent.shift();
  };

  return {
    set: (next) => {
      options = next;
    },
    batchEnded(sandbox, batch) {
      if (options === undefined) return;
      const code = batch.status === 'failed' ? 'ing_load_failure' : 'ing_load_success';
      const body = JSON.stringify(bodyOf(options, sandbox, batch, code));
      const running = send(options.url, body, batch.id, code).finally(() => sending.delete(running));
      sending.add(running);
    },
    publicKey: (path) => ((KEY_PATHS as readonly string[]).includes(path) ? keyPair().publicKey : undefined),
    signatureOf,
    sent: () => [...sent],
    async close() {
      closing.abort();
      await Promise.all(sending);
    },
  };
}

function newKeys(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  signal.addEventListener('abort', () => over.resolve(), { once: true });
  await over.promise;
  clearTimeout(timer);
}

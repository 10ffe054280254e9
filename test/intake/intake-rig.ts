import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configSchema } from '../../src/config/config-schema.ts';
import { sourceSchema } from '../../src/config/source-config.ts';
import { createPublicApp } from '../../src/intake/public-app.ts';
import type { Admission } from '../../src/intake/admission.ts';
import type { WebhookReport } from '../../src/intake/webhook-report.ts';
import type { EventRecord, Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { createSourceTable } from '../../src/sources/source-table.ts';

export const KEY = 'right-key';
const HEADER = { type: 'header', name: 'X-Relay-Key', values: [KEY] };

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined if the answer has no body. */
  readonly body: ReturnType<typeof JSON.parse>;
}

export interface Sent {
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly path?: string;
  /** Without a Content-Length, in these pieces. */
  readonly chunks?: readonly (string | Uint8Array)[];
}

export interface IntakeOptions {
  readonly source?: Record<string, unknown>;
  readonly server?: Record<string, unknown>;
  /** Replaces methods of the journal, to make them fail. */
  readonly wrap?: (journal: Journal) => Partial<Journal>;
  readonly admission?: Partial<Admission>;
}

const ADMIT_ALL: Admission = {
  refusal: () => undefined,
  admit: () => undefined,
  recordWriteFailure: () => undefined,
  isDraining: false,
  acceptsWhileDraining: false,
};

/** The public app with a real journal on a real port. `restart` opens the same journal again. */
export async function startIntake(options: IntakeOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'relay-intake-'));
  const source = sourceSchema.parse({
    name: 'acme',
    destination: 'acme-aep',
    verify: [HEADER],
    ...options.source,
  });
  const sources = createSourceTable([source]);
  const reports: WebhookReport[] = [];
  const errors: unknown[] = [];

  const open = async () => {
    const journal = await openSqliteJournal({ path: folder, encryptionKeys: [] });
    const app = await createPublicApp({
      server: configSchema.shape.server.parse({ bodyLimit: '20KB', ...options.server }),
      sources,
      journal: { ...journal, ...options.wrap?.(journal) },
      admission: { ...ADMIT_ALL, ...options.admission },
      observer: {
        webhookAnswered: (report) => void reports.push(report),
        errorCaught: (_message, error) => void errors.push(error),
      },
      now: () => Date.UTC(2026, 0, 31, 8),
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { journal, app };
  };
  let opened = await open();
  const close = async (): Promise<void> => {
    await opened.app.close();
    await opened.journal.close();
  };

  const send = (body: string | Uint8Array | object, sent: Sent = {}): Promise<Answer> => {
    const { method = 'POST', path = '/webhooks/acme', chunks } = sent;
    const { port } = opened.app.server.address() as AddressInfo;
    const isBytes = typeof body === 'string' || body instanceof Uint8Array;
    const headers = { 'x-relay-key': KEY, ...sent.headers };
    return new Promise((resolve, reject) => {
      const call = request({ port, host: '127.0.0.1', agent: false, method, path, headers }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.once('end', () => {
          const text = Buffer.concat(pieces).toString();
          const { statusCode: status = 0, headers: answered } = answer;
          resolve({ status, headers: answered, body: text === '' ? undefined : JSON.parse(text) });
        });
      });
      call.once('error', reject);
      for (const chunk of chunks ?? []) call.write(chunk);
      if (chunks === undefined) call.end(isBytes ? body : JSON.stringify(body));
      else call.end();
    });
  };

  return {
    send,
    sources,
    source,
    reports,
    errors,
    get journal() {
      return opened.journal;
    },
    get port() {
      return (opened.app.server.address() as AddressInfo).port;
    },
    async restart() {
      await close();
      opened = await open();
    },
    /** The records of all stored events and malformed bodies, oldest first. */
    async stored(): Promise<EventRecord[]> {
      const { items } = await opened.journal.list({}, { limit: 500 });
      const records = await Promise.all(items.map(({ receipt }) => opened.journal.find(receipt)));
      return records.filter((record) => record !== undefined).toReversed();
    },
    async counts() {
      const { acme } = await opened.journal.ledger();
      const { accepted = 0, malformed = 0, quarantined = 0 } = acme ?? {};
      return { accepted, malformed, quarantined };
    },
    /** What operations need to replay and release. */
    get parts() {
      return { journal: opened.journal, sources, bodyLimit: 20_000, now: () => Date.UTC(2026, 0, 31, 9) };
    },
    async close() {
      await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Intake = Awaited<ReturnType<typeof startIntake>>;

/** The text of a stored body. */
export function textOf({ body }: EventRecord): string {
  return body?.toString() ?? '';
}

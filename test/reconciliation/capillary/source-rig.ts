import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type CapillaryClient, createCapillaryClient } from '../../../src/capillary/api/capillary-client.ts';
import { sourceSchema } from '../../../src/config/source-config.ts';
import { DIRECT_EGRESS } from '../../../src/http/egress.ts';
import { accept } from '../../../src/intake/accept.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { openSqliteJournal } from '../../../src/journal/sqlite/sqlite-journal.ts';
import {
  createSourceReconciler,
  type SourceReconcilerParts,
} from '../../../src/reconciliation/capillary/source-reconciler.ts';
import type { ReconciliationObserver } from '../../../src/reconciliation/reconcile-run.ts';
import { markVerified } from '../../../src/sources/verifier.ts';
import type { CapillaryOptions } from '../../../src/simulator/capillary/api/capillary-options.ts';
import { withDelivery } from '../../simulator/capillary/api/delivery-rig.ts';

const MINUTE_MS = 60_000;
/** The beginning of a slot and of a day. */
export const START = Date.UTC(2026, 10, 30);
const BODY_LIMIT = 1_048_576;

export interface SourceRigOptions {
  readonly capillary?: CapillaryOptions;
  readonly webhook?: Record<string, unknown>;
  readonly source?: Record<string, unknown>;
  readonly reconcile?: Record<string, unknown>;
  /** In place of a new one of SQLite; closed after the test. */
  readonly journal?: Journal;
}

/** What happened during the runs. */
export interface Observed {
  readonly runs: string[];
  readonly found: Record<string, number>;
  recovered: number;
  readonly calls: Record<string, number>;
}

function observing(): { readonly observed: Observed; readonly observer: ReconciliationObserver } {
  const observed: Observed = { runs: [], found: {}, recovered: 0, calls: {} };
  return {
    observed,
    observer: {
      runEnded: ({ outcome }) => void observed.runs.push(outcome),
      found: ({ kind, cause, count }) => {
        const key = `${kind} ${cause}`;
        observed.found[key] = (observed.found[key] ?? 0) + count;
      },
      recovered: (_source, count) => {
        observed.recovered += count;
      },
      called: (_side, _name, outcome) => {
        observed.calls[outcome] = (observed.calls[outcome] ?? 0) + 1;
      },
      errorCaught: (_name, _message, error) => {
        throw error;
      },
    },
  };
}

/** How the relay behaves towards a webhook. */
export type Behaviour = 'ok' | 'down' | 'refuses' | 'says ok';

/** A simulated Capillary that posts to an intake over a real journal, and its reconciler. */
export async function sourceRig(options: SourceRigOptions = {}) {
  let now = START + MINUTE_MS;
  const folder = mkdtempSync(join(tmpdir(), 'relay-sent-'));
  const journal = options.journal ?? (await openSqliteJournal({ path: folder, encryptionKeys: [] }));
  onTestFinished(async () => {
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let behaviour: (body: string) => Behaviour = () => 'ok';

  const answer = async (response: ServerResponse, body: string): Promise<void> => {
    const what = behaviour(body);
    if (what === 'down') return void response.destroy();
    if (what !== 'ok') return void response.writeHead(what === 'refuses' ? 401 : 200).end();
    const headers = { 'content-type': 'application/json' };
    const received = { body: Buffer.from(body), headers, rawHeaders: [], ip: '', receivedAt: now };
    const accepted = await accept(
      { journal, bodyLimit: BODY_LIMIT },
      source,
      markVerified(received, 'header'),
    );
    if (accepted.status !== 'malformed') return void response.writeHead(200).end();
    response.writeHead(400).end(JSON.stringify({ detail: `no event; kept as ${accepted.receipt}` }));
  };

  const delivery = await withDelivery((response, { body }) => void answer(response, body), {
    ...options.capillary,
    webhook: options.webhook ?? {},
    now: () => now,
  });
  const source = sourceSchema.parse({
    name: 'acme',
    destination: 'acme-aep',
    orgIds: [100_737],
    verify: [{ type: 'header', name: 'X-Relay-Key', values: ['first'] }],
    api: {
      url: delivery.simulator.capillaryUrl,
      key: 'northKey',
      secret: 'northSecret',
      callsPerMinute: 100_000,
    },
    webhook: {
      name: 'relay',
      url: delivery.relay.url,
      header: { name: 'X-Relay-Key', value: 'first' },
    },
    reconcile: options.reconcile ?? {},
    ...options.source,
  });
  const { api } = source;
  if (api === undefined) throw new Error('the source has no api');
  let waited = 0;
  const client: CapillaryClient = createCapillaryClient({
    api,
    monotonic: () => performance.now() + waited,
    wait: async (ms) => {
      waited += ms;
    },
  });
  onTestFinished(() => client.close());
  const { observed, observer } = observing();
  const parts: SourceReconcilerParts = {
    source,
    journal,
    bodyLimit: () => BODY_LIMIT,
    admission: { refusal: () => undefined, admit: () => undefined },
    egress: DIRECT_EGRESS,
    sharedClient: () => client,
    observer,
    now: () => now,
  };
  const signal = new AbortController().signal;
  const open = (changes: Partial<SourceReconcilerParts> = {}) =>
    createSourceReconciler({ ...parts, ...changes });

  return {
    ...delivery,
    source,
    journal,
    client,
    parts,
    observed,
    open,
    at: () => now,
    pass: (ms: number) => {
      now += ms;
    },
    behave: (next: typeof behaviour) => {
      behaviour = next;
    },
    /** One run of a reconciler that knows only what is in the journal; resolves with the report. */
    run: async (
      request: { readonly since?: number; readonly resend?: boolean } = {},
      changes: Partial<SourceReconcilerParts> = {},
    ) => {
      const reconciler = open(changes);
      try {
        await reconciler.run(request, signal);
      } finally {
        await reconciler.close();
      }
      return reconciler.report();
    },
    /** Event ids of all events. */
    accepted: async () => {
      const { items } = await journal.list({}, { limit: 500 });
      return items.map(({ eventId = '' }) => eventId).toSorted();
    },
  };
}

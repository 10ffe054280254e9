import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { TokenSource } from '../src/adobe/ports.ts';
import type { RunningDestination } from '../src/delivery/running-destination.ts';
import { DIRECT_EGRESS } from '../src/http/egress.ts';
import { openSqliteJournal } from '../src/journal/sqlite/sqlite-journal.ts';
import { openReconcilers } from '../src/open-reconcilers.ts';
import { until } from './helpers/until.ts';
import { comparedConfig } from './reconciliation/reconcilers-rig.ts';

/** A gateway that answers every call in the same way, or never, and counts them. */
async function gateway(status: number | undefined) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization ?? '');
    if (status === undefined) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error_code: '401013', message: 'Oauth token is not valid' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** Destinations that are compared over this gateway, with the tokens of a delivery. */
async function compareOver(url: string) {
  const folder = mkdtempSync(join(tmpdir(), 'relay-reconcilers-'));
  const journal = await openSqliteJournal({ path: folder, encryptionKeys: [] });
  const config = comparedConfig();
  const rejected: string[] = [];
  const tokens: Pick<TokenSource, 'get' | 'reject'> = {
    get: async () => ({ ok: true, token: 'token-of-delivery' }),
    reject: (token) => void rejected.push(token),
  };
  const reconcilers = openReconcilers({
    config: { sources: [], destinations: config.destinations.map((one) => ({ ...one, platform: { url } })) },
    sources: () => [],
    journal,
    admission: { refusal: () => undefined, admit: () => undefined },
    bodyLimit: () => 1_048_576,
    egress: DIRECT_EGRESS,
    enrichers: { backgroundClient: () => undefined },
    destinations: {
      all: [],
      get: () => ({ tokens }) as unknown as RunningDestination,
      sentRecords: () => ({ of: async () => new Map() }),
    },
    observer: {
      runEnded: () => undefined,
      found: () => undefined,
      recovered: () => undefined,
      called: () => undefined,
      errorCaught: (_name, _message, error) => {
        throw error;
      },
    },
    now: Date.now,
  });
  onTestFinished(async () => {
    await reconcilers.stop();
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { reconcilers, rejected };
}

it('uses the tokens of delivery, and does not take one away that only the gateway refuses', async () => {
  const { url, seen } = await gateway(401);
  const { reconcilers, rejected } = await compareOver(url);
  reconcilers.start();
  const failing = async () => {
    const [one] = (await reconcilers.report()).destinations;
    return one?.state === 'failing' && one;
  };
  expect((await until(failing)).problem).toMatchObject({ code: 'unauthorized' });
  expect(new Set(seen)).toEqual(new Set(['Bearer token-of-delivery']));
  expect(rejected).toEqual([]);
});

it('a stop ends a run that waits for an answer', async () => {
  const { url, seen } = await gateway(undefined);
  const { reconcilers } = await compareOver(url);
  reconcilers.start();
  await until(() => seen.length > 0);
  // It would last as long as the limit of a call.
  await reconcilers.stop();
  expect((await reconcilers.report()).destinations).toMatchObject([{ state: 'never' }]);
});

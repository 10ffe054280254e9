import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createPlatformClient, type PlatformClient } from '../../../src/adobe/platform/platform-client.ts';

/** A batch as the gateway has it; `files` are their contents by name. */
export interface GatewayBatch {
  readonly id: string;
  readonly datasetId: string;
  readonly created: number;
  readonly completed?: number;
  readonly status?: string;
  readonly failedRecordCount?: number;
  readonly errors?: readonly object[];
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** Answers a request in Adobe's place; true if it has. */
export type Interception = (request: IncomingMessage, response: ServerResponse) => boolean;

const EXPORT = /^\/data\/foundation\/export\/batches\/([^/]+)\/failed$/;
const CATALOG = '/data/foundation/catalog/batches';

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function viewOf({ id: _id, datasetId: _dataset, files: _files, ...rest }: GatewayBatch): object {
  return { status: 'failed', ...rest };
}

/** A gateway of AEP whose batches and faults a test decides, and a client of it. */
export async function startGateway() {
  const batches: GatewayBatch[] = [];
  const requests: string[] = [];
  let intercept: Interception = () => false;

  const list = (query: URLSearchParams): object => {
    const found = batches
      .filter(({ datasetId }) => datasetId === query.get('dataSet'))
      .filter(({ status = 'failed' }) => status === query.get('status'))
      .filter(({ created }) => created > Number(query.get('createdAfter')))
      .toSorted((left, right) => left.created - right.created);
    const start = Number(query.get('start'));
    const page = found.slice(start, start + Number(query.get('limit')));
    return Object.fromEntries(page.map((batch) => [batch.id, viewOf(batch)]));
  };

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://gateway');
    requests.push(`${url.pathname}${url.search}`);
    if (intercept(request, response)) return;
    if (url.pathname === CATALOG) return json(response, list(url.searchParams));
    const isFiles = EXPORT.exec(url.pathname);
    const id = isFiles?.[1] ?? url.pathname.slice(CATALOG.length + 1);
    const batch = batches.find((one) => one.id === id);
    const notFound = { title: 'Not Found', status: 404 };
    if (batch === undefined) return json(response, notFound, 404);
    if (!isFiles) return json(response, { [id]: viewOf(batch) });
    const { files = {} } = batch;
    const path = url.searchParams.get('path');
    if (path === null) {
      const data = Object.entries(files).map(([name, content]) => ({ name, length: `${content.length}` }));
      return json(response, { data: [{ name: '_SUCCESS', length: '0' }, ...data] });
    }
    const content = files[path];
    if (content === undefined) return json(response, notFound, 404);
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(content);
  };

  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const client: PlatformClient = createPlatformClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
    sandbox: 'dev',
    clientId: 'client-1',
    tokens: { get: async () => ({ ok: true, token: 'token-of-the-test' }), reject: () => undefined },
    wait: async () => undefined,
  });
  onTestFinished(() => client.close());
  return {
    client,
    batches,
    /** Path and query of each request. */
    requests,
    /** Puts something in front of the answers. */
    intercept(next: Interception): void {
      intercept = next;
    },
    /** Lets everything through again. */
    recover(): void {
      intercept = () => false;
    },
  };
}

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface ReceivedWebhook {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers one webhook; `count` is the number of those before it. */
export type WebhookHandler = (response: ServerResponse, webhook: ReceivedWebhook, count: number) => void;

/** A receiver of webhooks that is closed after the test. */
export async function receivingRelay(handle: WebhookHandler) {
  const seen: ReceivedWebhook[] = [];
  const server: Server = createServer((request, response) => {
    const { headers, method } = request;
    void text(request).then((body) => {
      const webhook = { method, headers, body };
      seen.push(webhook);
      return handle(response, webhook, seen.length - 1);
    });
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/acme`, seen };
}

/** Answers with the statuses in turn, then with the last one. */
export function statuses(...list: number[]): WebhookHandler {
  return (response, _webhook, count) => {
    response.writeHead(list[Math.min(count, list.length - 1)] ?? 200).end('{"status":"x"}');
  };
}

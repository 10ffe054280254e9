import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Spreads requests over several servers, as an ingress in front of replicas does. */
export interface Balancer {
  /** Without a trailing slash. */
  readonly url: string;
  /** How many requests a server has answered with 200. @param target as it was passed */
  accepted(target: string): number;
  close(): Promise<void>;
}

const OK = 200;
const BAD_GATEWAY = 502;

/**
 * Starts a balancer on loopback: one request after the other goes to the next server. A server that
 * accepts no connection is passed over. A request whose connection breaks afterwards is answered
 * with 502, because nobody knows what became of it: whoever sent it sends it again.
 * @param targets URLs of the servers
 */
export async function startBalancer(targets: readonly string[]): Promise<Balancer> {
  const agent = new Agent({ keepAlive: true });
  const accepted = new Map<string, number>();
  let last = -1;

  const pass = (
    incoming: IncomingMessage,
    body: Buffer,
    outgoing: ServerResponse,
    triesLeft: number,
  ): void => {
    last = (last + 1) % targets.length;
    const target = targets[last] ?? '';
    const { method, headers } = incoming;
    const upstream = request(new URL(incoming.url ?? '/', target), { agent, method, headers }, (answer) => {
      if (answer.statusCode === OK) accepted.set(target, (accepted.get(target) ?? 0) + 1);
      outgoing.writeHead(answer.statusCode ?? BAD_GATEWAY, answer.headers);
      answer.pipe(outgoing);
      answer.once('error', () => outgoing.destroy());
    });
    upstream.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && triesLeft > 0) pass(incoming, body, outgoing, triesLeft - 1);
      else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(BAD_GATEWAY).end();
    });
    upstream.end(body);
  };

  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => pass(incoming, Buffer.concat(chunks), outgoing, targets.length - 1));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accepted: (target) => accepted.get(target) ?? 0,
    close: async () => {
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await once(server, 'close');
    },
  };
}

import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Issued } from './private-ca.ts';

export interface TlsFront {
  readonly port: number;
  /** The name that each connection asked for, in order. */
  readonly serverNames: readonly (string | false | null | undefined)[];
  /** Presents another certificate from the next connection on. */
  present(issued: Issued): void;
}

/** Ends TLS in front of a server on loopback; closed when the test ends. @param target its port */
export async function startTlsFront(issued: Issued, target: number): Promise<TlsFront> {
  const serverNames: (string | false | null | undefined)[] = [];
  const sockets = new Set<TLSSocket>();
  const server = createServer({ ...issued, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    serverNames.push(socket.servername);
    const upstream = connect(target, '127.0.0.1');
    sockets.add(socket);
    socket
      .on('error', () => upstream.destroy())
      .on('close', () => {
        sockets.delete(socket);
        upstream.destroy();
      });
    upstream.on('error', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    port: (server.address() as AddressInfo).port,
    serverNames,
    present: (next) => server.setSecureContext(next),
  };
}

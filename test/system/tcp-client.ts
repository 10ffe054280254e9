import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Opens a connection to a base URL; rejects when it is refused. */
export async function connectTo(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  // A reset is an answer too.
  socket.on('error', () => undefined);
  return socket;
}

/** All that comes until the other side closes. */
export async function readUntilClosed(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(parts).toString('latin1');
}

/** Sends bytes as they are; answers all that comes until the relay closes the connection. */
export async function sendBytes(url: string, bytes: string | Buffer): Promise<string> {
  const socket = await connectTo(url);
  const answer = readUntilClosed(socket);
  socket.write(bytes);
  return answer;
}

/** Status codes of the answers in what came. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

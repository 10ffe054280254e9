import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Opens a TCP connection to the host of a URL. @throws Error if it is refused */
export async function connectTo(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  // Some tests expect the relay to reset the connection.
  socket.on('error', () => undefined);
  return socket;
}

/** Everything that is received until the connection is closed. */
export async function readUntilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

/** Sends bytes as they are. @returns everything received until the relay closes the connection */
export async function sendBytes(url: string, bytes: string | Buffer): Promise<string> {
  const socket = await connectTo(url);
  const received = readUntilClosed(socket);
  socket.write(bytes);
  return received;
}

/** Status codes of the responses in the received text. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

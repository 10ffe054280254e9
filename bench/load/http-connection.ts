import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * A connection that posts one request at a time. It is minimal because the sender shares two CPUs
 * with the relay: a request takes a tenth of the CPU time of an HTTP client library. It supports
 * only the responses of this bench's servers: HTTP/1.1 with Content-Length.
 */
export interface HttpConnection {
  /** Sends a complete request; call it again only after `onResponse` was called with the status. */
  post(request: Buffer, onResponse: (status: number) => void): void;
  close(): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** Status and length of the complete response at the start of the data; undefined if incomplete. */
function readResponse(data: Buffer): { readonly status: number; readonly bytes: number } | undefined {
  const end = data.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = data.toString('latin1', 0, end);
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  const bytes = end + HEAD_END.length + Number(length);
  return data.length < bytes ? undefined : { status: Number(head.slice(9, 12)), bytes };
}

/** @param onError called once if the connection breaks */
export async function openConnection(url: URL, onError: (error: Error) => void): Promise<HttpConnection> {
  const socket: Socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, 'connect');
  let pending: ((status: number) => void) | undefined;
  let rest: Buffer | undefined;
  let isClosing = false;
  let failure = new Error('the server closed a connection');
  socket.on('data', (chunk: Buffer) => {
    const data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    const response = readResponse(data);
    rest = response === undefined ? data : undefined;
    if (response === undefined) return;
    const onResponse = pending;
    pending = undefined;
    onResponse?.(response.status);
  });
  // It is always followed by `close`.
  socket.on('error', (error) => (failure = error));
  socket.on('close', () => {
    if (!isClosing) onError(failure);
  });
  return {
    post(request, onResponse) {
      pending = onResponse;
      socket.write(request);
    },
    close() {
      isClosing = true;
      socket.destroy();
    },
  };
}

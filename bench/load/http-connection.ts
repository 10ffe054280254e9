import { connect, type Socket } from 'node:net';
import { once } from 'node:events';

/*
 * A connection that posts one request at a time. Written by hand because whoever sends shares two processors with what is measured: a
 * request costs a tenth of what it costs in a client library. It knows only what the servers of this bench answer: HTTP/1.1 with Content-Length.
 */
export interface HttpConnection {
  /** Sends a whole request. `answered` is called with the status; one at a time. */
  post(request: Buffer, answered: (status: number) => void): void;
  close(): void;
}

const END = Buffer.from('\r\n\r\n');

/** Bytes of a whole answer at the start of what has come, and its status; undefined while it is not all there. */
function readAnswer(data: Buffer): { readonly status: number; readonly bytes: number } | undefined {
  const end = data.indexOf(END);
  if (end < 0) return undefined;
  const head = data.toString('latin1', 0, end);
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
  const bytes = end + END.length + Number(length);
  return data.length < bytes ? undefined : { status: Number(head.slice(9, 12)), bytes };
}

/** @param failed told of a connection that broke: the figures of the run are void then */
export async function openConnection(url: URL, failed: (error: Error) => void): Promise<HttpConnection> {
  const socket: Socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await once(socket, 'connect');
  let told: ((status: number) => void) | undefined;
  let rest: Buffer | undefined;
  let closing = false;
  socket.on('data', (chunk: Buffer) => {
    const data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    const answer = readAnswer(data);
    rest = answer === undefined ? data : undefined;
    if (answer === undefined) return;
    const tell = told;
    told = undefined;
    tell?.(answer.status);
  });
  socket.on('error', failed);
  socket.on('close', () => {
    if (!closing) failed(new Error('the server closed a connection'));
  });
  return {
    post(request, answered) {
      told = answered;
      socket.write(request);
    },
    close() {
      closing = true;
      socket.destroy();
    },
  };
}

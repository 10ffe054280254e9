import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { failureOf } from '../adobe/failure.ts';

export type Reached =
  | { readonly ok: true; readonly host: string; readonly ms: number }
  | { readonly ok: false; readonly host: string; readonly code: string; readonly detail: string };

interface Peer {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

function peerOf(url: URL): Peer {
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: url.port === '' ? (secure ? 443 : 80) : Number(url.port), secure };
}

function open({ host, port, secure }: Peer, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    const socket = secure
      ? connectTls({ host, port, servername: host }, done)
      : connectTcp({ host, port }, done);
    socket.setTimeout(timeoutMs, () => {
      socket.destroy(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
    });
    socket.once('error', reject);
  });
}

/**
 * Opens a connection to the server of a URL, with the handshake and the check of its certificate for https, and closes it again. Nothing
 * is asked of the server and no data is sent.
 * @param timeoutMs bound on the whole of it
 */
export async function reach(url: string, timeoutMs: number): Promise<Reached> {
  const peer = peerOf(new URL(url));
  const host = `${peer.host}:${peer.port}`;
  const started = performance.now();
  try {
    await open(peer, timeoutMs);
    return { ok: true, host, ms: Math.round(performance.now() - started) };
  } catch (error) {
    return { ok: false, host, ...failureOf(error) };
  }
}

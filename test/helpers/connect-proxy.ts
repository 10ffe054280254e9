import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Issued } from './private-ca.ts';

/**
 * What the proxy does with a request: pass it on, answer itself, say nothing, say nothing after it
 * has accepted a tunnel (`stall`), or hang up.
 */
export type ProxyAnswer =
  | 'pass'
  | 'silent'
  | 'stall'
  | 'hang up'
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> };

export interface ConnectProxyOptions {
  /** Port on loopback for each host and port that the proxy knows, such as `ims.example:443`. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Speaks TLS itself. */
  readonly tls?: Issued;
  /** `user:password` that it wants. */
  readonly credentials?: string;
}

const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';

/** A forward proxy on loopback: CONNECT for https, whole URLs for http. */
export class ConnectProxy {
  answer: ProxyAnswer = 'pass';
  /** Hosts and ports of the tunnels that were asked for, in order. */
  readonly asked: string[] = [];
  /** URLs of the http requests that were passed on. */
  readonly forwarded: string[] = [];
  /** Names that clients sent for TLS with the proxy itself. */
  readonly serverNames: (string | false | undefined)[] = [];
  /** Tunnels that are open. */
  readonly #tunnels = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  readonly #options: ConnectProxyOptions;
  #server: Server | undefined;
  #port = 0;

  private constructor(options: ConnectProxyOptions) {
    this.#options = options;
  }

  /** Closed when the test ends. */
  static async start(options: ConnectProxyOptions): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(options);
    await proxy.listen();
    onTestFinished(() => proxy.close());
    return proxy;
  }

  get url(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get tunnels(): number {
    return this.#tunnels.size;
  }

  /** Listens, after a close on the same port as before. */
  async listen(): Promise<void> {
    const { tls } = this.#options;
    const server: Server = tls ? createTlsServer(tls) : createServer();
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket: { servername?: string | false }) =>
      this.serverNames.push(socket.servername),
    );
    server.on('connect', (asked: IncomingMessage, socket: Socket) => this.#connect(asked, socket));
    server.on('request', (asked, response) => this.#forward(asked, response));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Resets all connections and stops listening. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    for (const socket of [...this.#sockets, ...this.#tunnels]) socket.destroy();
    await once(server, 'close');
  }

  #answerTo({ headers }: IncomingMessage, host: string): ProxyAnswer {
    const { credentials, hosts } = this.#options;
    const given = headers['proxy-authorization'];
    const wanted = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (wanted !== undefined && given !== wanted)
      return { status: 407, headers: { 'proxy-authenticate': 'Basic realm="proxy"' } };
    if (this.answer === 'pass' && hosts[host] === undefined) return { status: 503, body: 'no such host' };
    return this.answer;
  }

  #connect(asked: IncomingMessage, socket: Socket): void {
    const host = asked.url ?? '';
    this.asked.push(host);
    socket.on('error', () => undefined);
    const answer = this.#answerTo(asked, host);
    if (answer === 'silent') return;
    if (answer === 'stall') {
      socket.write(ESTABLISHED);
      return;
    }
    if (answer === 'hang up') {
      socket.destroy();
      return;
    }
    if (answer !== 'pass') {
      const { status, body = '', headers = {} } = answer;
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(
        `HTTP/1.1 ${status} Refused\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n${body}`,
      );
      return;
    }
    const upstream = connect(this.#options.hosts[host] ?? 0, '127.0.0.1', () => {
      socket.write(ESTABLISHED);
      socket.pipe(upstream).pipe(socket);
    });
    this.#tunnels.add(socket);
    upstream.on('error', () => undefined).on('close', () => socket.destroy());
    socket.on('close', () => {
      this.#tunnels.delete(socket);
      upstream.destroy();
    });
  }

  #forward(asked: IncomingMessage, response: ServerResponse): void {
    const url = new URL(asked.url ?? '');
    const answer = this.#answerTo(asked, `${url.hostname}:${url.port === '' ? 80 : url.port}`);
    if (answer === 'silent' || answer === 'stall') return;
    if (answer === 'hang up') {
      asked.socket.destroy();
      return;
    }
    if (answer !== 'pass') {
      response.writeHead(answer.status, answer.headers).end(answer.body);
      return;
    }
    this.forwarded.push(url.href);
    const headers = { ...asked.headers };
    delete headers['proxy-authorization'];
    const port = this.#options.hosts[`${url.hostname}:${url.port === '' ? 80 : url.port}`];
    const path = `${url.pathname}${url.search}`;
    const passed = request({ host: '127.0.0.1', port, method: asked.method, path, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
    passed.on('error', () => response.destroy());
    asked.pipe(passed);
  }
}

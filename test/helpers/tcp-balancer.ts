import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const PROBE_INTERVAL_MS = 250;
const PROBE_TIMEOUT_MS = 1_000;

/** A process behind the balancer. */
export interface Backend {
  /** Port of 127.0.0.1 to which connections are passed on. */
  readonly port: number;
  /** Answers 200 while it may get connections. */
  readonly readyUrl: string;
}

/**
 * Spreads TCP connections over the backends that are ready, as a Service of Kubernetes does: one
 * after the other, the next one if a backend refuses, and a connection stays where it is.
 */
export class TcpBalancer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #probing: NodeJS.Timeout;
  #backends: readonly (Backend & { isReady: boolean })[] = [];
  #next = 0;

  private constructor() {
    this.#server = createServer((client) => this.#pass(client));
    this.#probing = setInterval(() => void this.#probe(), PROBE_INTERVAL_MS);
  }

  static async create(): Promise<TcpBalancer> {
    const balancer = new TcpBalancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A new backend gets connections once it is ready. */
  add(backend: Backend): void {
    this.#backends = [...this.#backends, { ...backend, isReady: false }];
  }

  remove(port: number): void {
    this.#backends = this.#backends.filter((backend) => backend.port !== port);
  }

  async close(): Promise<void> {
    clearInterval(this.#probing);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #probe(): Promise<void> {
    await Promise.all(
      this.#backends.map(async (backend) => {
        const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
        backend.isReady = await fetch(backend.readyUrl, { signal }).then(
          async (response) => (await response.text()) !== '' && response.status === 200,
          () => false,
        );
      }),
    );
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay();
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #pass(client: Socket): void {
    this.#track(client);
    const ready = this.#backends.filter(({ isReady }) => isReady);
    this.#next += 1;
    const order = ready.map((_, index) => ready[(this.#next + index) % ready.length]!);
    this.#tryNext(client, order);
  }

  #tryNext(client: Socket, [backend, ...others]: readonly Backend[]): void {
    if (backend === undefined) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(backend.port, '127.0.0.1');
    const refused = (): void => this.#tryNext(client, others);
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.off('error', refused);
      this.#track(upstream);
      client.pipe(upstream).pipe(client);
      // Whoever resets a connection ends both halves of it.
      client.on('close', () => upstream.destroy());
      upstream.on('close', (hadError) => (hadError ? client.resetAndDestroy() : client.end()));
    });
  }
}

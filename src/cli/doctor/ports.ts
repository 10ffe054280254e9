import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config/schema.ts';
import { createAdminClient } from '../admin-client.ts';
import { type Finding, codeOf, fail, ok } from './finding.ts';

/** ms for a relay on this machine to say that it lives. */
const LIVEZ = { GET: 2_000, POST: 2_000, PUT: 2_000 } as const;

const CURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop what listens there (ss -ltnp shows it), or choose another port',
  EACCES: 'choose a port from 1024 on, or let the process take lower ones (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'name an address of this machine, or 0.0.0.0',
};

/** Takes the port for an instant. @throws what listening throws */
async function tryPort(host: string, portFinding: number): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host, port: portFinding, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function port(key: string, place: Config['server' | 'admin'], isRunning: boolean): Promise<Finding> {
  const check = `port/${key}`;
  const where = `${place.host}:${place.port}`;
  if (place.port === 0) return ok(check, 'the system chooses it');
  try {
    await tryPort(place.host, place.port);
    return ok(check, `${where} is free`);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRINUSE' && isRunning)
      return ok(check, `${where} is taken, and a relay is running here`);
    return fail(check, `${where} cannot be listened on (${code})`, CURES[code] ?? `mend ${key}.host`);
  }
}

/** True when what answers at this admin port is a relay. */
export async function isRelayAt(url: string): Promise<boolean> {
  try {
    const { text } = await createAdminClient({ url }, LIVEZ).open('/livez');
    const { checks } = JSON.parse(text) as { checks?: { name?: unknown }[] };
    return checks?.some(({ name }) => name === 'storage-thread') === true;
  } catch {
    return false;
  }
}

/** Whether the relay could listen. @param isRunning one does already */
export async function portFindings(
  { server, admin }: Pick<Config, 'server' | 'admin'>,
  isRunning: boolean,
): Promise<Finding[]> {
  return [await port('server', server, isRunning), await port('admin', admin, isRunning)];
}

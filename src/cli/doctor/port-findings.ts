import type { Config } from '../../config/config-schema.ts';
import { listenProblem, tryPort } from '../../http/listen.ts';
import { createAdminClient } from '../admin-client.ts';
import { type Finding, codeOf, fail, ok } from './finding.ts';

/** Time limits for /livez of a relay on this machine. */
const LIVEZ_TIMEOUT_MS = { GET: 2_000, POST: 2_000, PUT: 2_000 } as const;

async function portFinding(
  key: 'server' | 'admin',
  server: Config['server' | 'admin'],
  isRunning: boolean,
): Promise<Finding> {
  const check = `port/${key}`;
  const address = `${server.host}:${server.port}`;
  if (server.port === 0) return ok(check, 'the system chooses the port');
  try {
    await tryPort(server);
    return ok(check, `${address} is free`);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EADDRINUSE' && isRunning)
      return ok(check, `${address} is in use, and a relay is running here`);
    const { message, fix } = listenProblem(key, server, code);
    return fail(check, message, fix);
  }
}

/** True when a relay answers at this admin URL. */
export async function isRelayAt(url: string): Promise<boolean> {
  try {
    const { text } = await createAdminClient({ url }, LIVEZ_TIMEOUT_MS).getPublic('/livez');
    const { checks } = JSON.parse(text) as { checks?: { name?: unknown }[] };
    return checks?.some(({ name }) => name === 'event-loop') === true;
  } catch {
    return false;
  }
}

/** Whether the relay could listen on its ports. @param isRunning a relay already does */
export async function portFindings(
  { server, admin }: Pick<Config, 'server' | 'admin'>,
  isRunning: boolean,
): Promise<Finding[]> {
  return [await portFinding('server', server, isRunning), await portFinding('admin', admin, isRunning)];
}

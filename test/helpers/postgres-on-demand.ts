import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { PostgresServer } from './postgres-process.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers with the URL of the PostgreSQL server of the tests, and starts it if need be. */
    postgresOnDemand: string;
  }
}

/**
 * One PostgreSQL server for all tests of a project. It starts when the first test asks for it, in
 * this process, because unit tests start none; and it ends with the run.
 */
export default async function postgresOnDemand(project: TestProject): Promise<() => Promise<void>> {
  let starting: Promise<PostgresServer> | undefined;
  const broker = createServer((_request, response) => {
    starting ??= PostgresServer.create();
    starting.then(
      (server) => response.end(server.url()),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  broker.listen(0, '127.0.0.1').unref();
  await once(broker, 'listening');
  project.provide('postgresOnDemand', `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`);
  return async () => {
    broker.close();
    const server = await starting?.catch(() => undefined);
    await server?.remove();
  };
}

import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';
import { onTestFinished } from 'vitest';
import {
  openSessions,
  type SessionsHandle,
  type SessionsOptions,
} from '../../src/journal/postgres/sessions/open-sessions.ts';
import type { Statement } from '../../src/journal/postgres/sessions/session.ts';
import { errorFields } from '../../src/telemetry/log.ts';
import { executeSql, freshSchema, type TestSchema } from '../helpers/postgres-server.ts';

/** Sessions with what every test needs; connections are as few as possible. */
export function openTestSessions(
  options: Pick<SessionsOptions, 'url' | 'schema'> & Partial<SessionsOptions>,
): Promise<SessionsHandle> {
  return openSessions({
    connections: 4,
    replica: randomUUID(),
    log: pino({ level: 'silent' }),
    ...options,
  });
}

/** The same, closed at the end of the test. */
export async function sessionsOfTest(
  options: Parameters<typeof openTestSessions>[0],
): Promise<SessionsHandle> {
  const sessions = await openTestSessions(options);
  onTestFinished(() => sessions.close());
  return sessions;
}

/** A schema that is dropped at the end of the test. */
export async function schemaOfTest(): Promise<TestSchema> {
  const schema = await freshSchema();
  onTestFinished(schema.drop);
  return schema;
}

export interface TestUser {
  readonly name: string;
  readonly url: string;
}

/** A user of the test's own without rights, dropped with all that it owns. */
export async function userOfTest(url: string): Promise<TestUser> {
  const name = `user_${randomUUID().slice(0, 8)}`;
  await executeSql(url, `CREATE ROLE ${name} LOGIN`);
  onTestFinished(async () => void (await executeSql(url, `DROP OWNED BY ${name}; DROP ROLE ${name}`)));
  const other = new URL(url);
  other.username = name;
  return { name, url: other.href };
}

/** The URL with another port of loopback, such as that of a proxy. */
export function throughPort(url: string, port: number): string {
  const other = new URL(url);
  other.host = `127.0.0.1:${port}`;
  return other.href;
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly err?: { readonly message: string };
}

/** A log that keeps its lines. */
export function recordedLog(): { log: Logger; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as LogLine);
      done();
    },
  });
  // As the log of a relay does.
  return { log: pino({ serializers: { err: errorFields } }, output), lines };
}

/** A statement that is not prepared. */
export function sql(text: string): Statement {
  return { name: '', text };
}

import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import {
  openSessions,
  type SessionsHandle,
  type SessionsOptions,
} from '../../src/journal/postgres/sessions/open-sessions.ts';

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

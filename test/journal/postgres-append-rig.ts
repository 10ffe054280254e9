import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { createPayloadCipher } from '../../src/journal/payload-cipher.ts';
import type { PostgresEngine } from '../../src/journal/postgres/engine/engine.ts';
import { type Appends, createAppends } from '../../src/journal/postgres/engine/event-appends.ts';
import type { SessionsHandle } from '../../src/journal/postgres/sessions/open-sessions.ts';
import { T0 } from '../contract/samples.ts';
import { freshSchema, type TestSchema } from '../helpers/postgres-server.ts';
import { openTestSessions } from './postgres-rig.ts';

/** One replica that appends. */
export interface AppendingReplica extends Appends {
  readonly engine: PostgresEngine;
  readonly sessions: SessionsHandle;
  readonly clock: { now: number };
  /** Destinations of `notifyClaimable`. */
  readonly notified: string[];
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>;
}

export interface AppendRig {
  readonly schema: TestSchema;
  /** Opens another replica. @param url where it connects to */
  readonly replica: (url?: string, keys?: readonly Uint8Array[]) => Promise<AppendingReplica>;
}

/** A schema of its own, which ends with the test. */
export async function appendRig(): Promise<AppendRig> {
  const schema = await freshSchema();
  const opened: SessionsHandle[] = [];
  onTestFinished(async () => {
    await Promise.all(opened.map((sessions) => sessions.close()));
    await schema.drop();
  });
  return {
    schema,
    async replica(url = schema.url, keys = []) {
      const sessions = await openTestSessions({
        url: () => url,
        schema: schema.schema,
        connections: 6,
      });
      opened.push(sessions);
      const clock = { now: T0 };
      const notified: string[] = [];
      const engine: PostgresEngine = {
        sessions,
        cipher: createPayloadCipher(keys),
        replica: randomUUID(),
        now: () => clock.now,
        reportUnreadable: () => undefined,
        notifyClaimable: (destination) => void notified.push(destination),
      };
      return {
        ...createAppends(engine),
        engine,
        sessions,
        clock,
        notified,
        sql: (text) => sessions.query('work', { name: '', text }),
      };
    },
  };
}

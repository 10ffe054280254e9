import { onTestFinished } from 'vitest';
import {
  createPlatformClient,
  type PlatformAnswer,
  type PlatformClient,
  type PlatformClientOptions,
} from '../../../src/adobe/platform/platform-client.ts';
import type { PlatformError } from '../../../src/adobe/platform/platform-error.ts';
import { type Script, type ScriptedServer, startServer } from '../scripted-server.ts';

export interface PlatformRig {
  readonly server: ScriptedServer;
  readonly client: PlatformClient;
  /** ms of each wait before another attempt. */
  readonly waits: readonly number[];
  /** Tokens that the client has given back as refused. */
  readonly rejected: readonly string[];
}

/** A client of a scripted gateway. Its tokens are `t1`, `t2`, …: one more for each refused one. */
export async function setUpPlatform(
  script: Script,
  options: Partial<PlatformClientOptions> = {},
): Promise<PlatformRig> {
  const server = await startServer(script);
  const waits: number[] = [];
  const rejected: string[] = [];
  const client = createPlatformClient({
    url: server.origin,
    imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
    sandbox: 'dev',
    clientId: 'client-1',
    tokens: {
      get: async () => ({ ok: true, token: `t${rejected.length + 1}` }),
      reject: (token) => {
        rejected.push(token);
      },
    },
    wait: async (ms) => {
      waits.push(ms);
    },
    ...options,
  });
  onTestFinished(() => client.close());
  return { server, client, waits, rejected };
}

/** The error of a call that must have failed. */
export function errorOf(answer: PlatformAnswer): PlatformError {
  if (answer.ok) throw new Error(`expected a failure, got ${answer.status}`);
  return answer.error;
}

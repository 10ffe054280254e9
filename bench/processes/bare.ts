import { fileURLToPath } from 'node:url';
import type { SendJob } from '../load/job.ts';
import { freePort } from '../../src/simulator/free-port.ts';
import { waitUntilUp, stopChild, startChild } from './child.ts';

const BARE = fileURLToPath(new URL('../load/bare.ts', import.meta.url));
const SECRET = 'secret-of-the-bare-route';

/** The bare route (bench/load/bare.ts) in its own process. */
export interface BareRoute {
  webhook(proof: 'header' | 'hmac'): Pick<SendJob, 'url' | 'proof'>;
  stop(): Promise<void>;
}

const SOURCES = [
  { name: 'header', verify: [{ type: 'header', name: 'X-Relay-Key', values: [SECRET] }] },
  {
    name: 'hmac',
    verify: [
      {
        type: 'hmac',
        header: 'X-Signature',
        secrets: [SECRET],
        algorithm: 'sha256',
        encoding: 'hex',
        prefix: '',
        payload: '{body}',
      },
    ],
  },
];

export async function startBare(): Promise<BareRoute> {
  const port = await freePort();
  const child = startChild([BARE, String(port), ...SOURCES.map((source) => JSON.stringify(source))]);
  const url = `http://127.0.0.1:${port}`;
  await waitUntilUp(`${url}/up`, child);
  return {
    webhook: (type) => ({
      url: `${url}/webhooks/${type}`,
      proof: { type, header: type === 'hmac' ? 'x-signature' : 'x-relay-key', secret: SECRET },
    }),
    stop: () => stopChild(child),
  };
}

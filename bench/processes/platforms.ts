import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startChild, stopChild } from './child.ts';

const PLATFORMS = fileURLToPath(new URL('../load/platforms.ts', import.meta.url));

/** Both platforms (bench/load/platforms.ts) in their own process. */
export interface Platforms {
  /** Base URL of Capillary's API and of AEP's. */
  readonly url: string;
  readonly imsUrl: string;
  /** Calls to Capillary's API so far. */
  calls(): Promise<number>;
  stop(): Promise<void>;
}

/** @param rows of Capillary's delivery log */
export async function startPlatforms(rows: number): Promise<Platforms> {
  const child = startChild([PLATFORMS, '--rows', String(rows)], true);
  const [{ url, imsUrl }] = (await once(child, 'message')) as [{ url: string; imsUrl: string }];
  return {
    url,
    imsUrl,
    calls: async () => {
      const stats = (await (await fetch(`${url}/_sim/stats`)).json()) as {
        requests: { capillary: Readonly<Record<string, number>> };
      };
      return Object.values(stats.requests.capillary).reduce((sum, count) => sum + count, 0);
    },
    stop: () => stopChild(child),
  };
}

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SendJob, SendResult } from '../load/job.ts';
import { endChild, startChild } from './child.ts';

const SENDER = fileURLToPath(new URL('../load/sender.ts', import.meta.url));

type Told = { readonly type: 'ready' } | { readonly type: 'result'; readonly result: SendResult };

/** A sender in a process of its own that has its requests ready. */
export interface ReadySender {
  /** Sends all of them. Throws when one was answered otherwise than 200. */
  go(): Promise<SendResult>;
}

async function next<T extends Told['type']>(
  child: ChildProcess,
  type: T,
): Promise<Extract<Told, { type: T }>> {
  const [told] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`a sender ended with ${code}`);
    }),
  ])) as [Told];
  if (told.type !== type) throw new Error(`a sender said ${told.type} instead of ${type}`);
  return told as Extract<Told, { type: T }>;
}

export async function prepareSender(job: SendJob): Promise<ReadySender> {
  const child = startChild([SENDER], true);
  child.send({ type: 'job', job });
  await next(child, 'ready');
  return {
    go: async () => {
      child.send({ type: 'go' });
      const { result } = await next(child, 'result');
      await endChild(child);
      const others = Object.keys(result.statuses).filter((status) => status !== '200');
      if (others.length > 0) throw new Error(`not every event was taken: ${JSON.stringify(result.statuses)}`);
      return result;
    },
  };
}

export async function send(job: SendJob): Promise<SendResult> {
  return (await prepareSender(job)).go();
}

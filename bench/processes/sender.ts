import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SendJob, SendResult } from '../load/job.ts';
import { stopChild, startChild } from './child.ts';

const SENDER = fileURLToPath(new URL('../load/sender.ts', import.meta.url));

type Message = { readonly type: 'ready' } | { readonly type: 'result'; readonly result: SendResult };

/** A sender (bench/load/sender.ts) in its own process that has prepared its requests. */
export interface ReadySender {
  /** Sends all of them. @throws Error if any response is not 200 and the job is not patient */
  go(): Promise<SendResult>;
}

async function next<T extends Message['type']>(
  child: ChildProcess,
  type: T,
): Promise<Extract<Message, { type: T }>> {
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`a sender exited with ${code}`);
    }),
  ])) as [Message];
  if (message.type !== type) throw new Error(`a sender sent ${message.type} instead of ${type}`);
  return message as Extract<Message, { type: T }>;
}

export async function prepareSender(job: SendJob): Promise<ReadySender> {
  const child = startChild([SENDER], true);
  child.send({ type: 'job', job });
  await next(child, 'ready');
  return {
    go: async () => {
      child.send({ type: 'go' });
      const { result } = await next(child, 'result');
      await stopChild(child);
      const failures = Object.keys(result.statuses).filter((status) => status !== '200');
      if (failures.length > 0 && job.isPatient !== true)
        throw new Error(`not every event was accepted: ${JSON.stringify(result.statuses)}`);
      return result;
    },
  };
}

export async function send(job: SendJob): Promise<SendResult> {
  return (await prepareSender(job)).go();
}

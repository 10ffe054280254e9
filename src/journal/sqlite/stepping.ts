import type { EventFilter } from '../journal.ts';
import type { Channel } from './channel.ts';
import { FIRST_STEP, type Step, type Stepped } from './protocol.ts';

/** Takes step after step until the scan is through; answers the sum of what the steps did. */
async function through(take: (step: Step) => Promise<Stepped & { readonly n: number }>): Promise<number> {
  let sum = 0;
  let step: Step | undefined = FIRST_STEP;
  while (step !== undefined) {
    const answer: Stepped & { readonly n: number } = await take(step);
    sum += answer.n;
    step = answer.next;
  }
  return sum;
}

export function countEvents(channel: Pick<Channel, 'call'>, filter: EventFilter): Promise<number> {
  return through(async (step) => {
    const { count, next } = await channel.call('count', { filter, step });
    return { n: count, next };
  });
}

export function discardEvents(
  channel: Pick<Channel, 'call'>,
  request: { readonly filter: EventFilter; readonly by: string; readonly now: number },
): Promise<number> {
  return through(async (step) => {
    const { done, next } = await channel.call('discard', { ...request, step });
    return { n: done, next };
  });
}

export function rerouteEvents(
  channel: Pick<Channel, 'call'>,
  request: { readonly source: string; readonly destination: string },
): Promise<number> {
  return through(async (step) => {
    const { done, next } = await channel.call('reroute', { ...request, step });
    return { n: done, next };
  });
}

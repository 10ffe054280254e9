import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayRequest } from '../journal.ts';
import type { Channel } from './channel.ts';

/** ms until a step that failed is tried again; twice as long each time. */
const RETRY = { first: 1_000, most: 60_000 } as const;

/** Sees replays through to their end. */
export interface ReplayRunner {
  /** Begins a replay and takes its steps. When one rejects, so does this, and the rest goes on in the background. */
  run(request: ReplayRequest): Promise<{ readonly replayed: number }>;
  /** Goes on in the background with what an earlier process left unfinished. */
  resume(): void;
  /** Ends what goes on in the background, after the step in hand; the next process takes it up again. */
  stop(): Promise<void>;
}

export function createReplayRunner(
  channel: Pick<Channel, 'call'>,
  tell: {
    /** A replay that went on in the background has ended. */
    readonly ended: () => void;
    readonly failed: (error: unknown) => void;
  },
): ReplayRunner {
  const stopping = new AbortController();
  const { signal } = stopping;
  const background = new Set<Promise<void>>();

  /** Asks until it is answered or the runner stops. */
  const insist = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
    for (let wait: number = RETRY.first; !signal.aborted; wait = Math.min(wait * 2, RETRY.most)) {
      try {
        return await ask();
      } catch (error) {
        tell.failed(error);
        await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    return undefined;
  };

  const goOn = async (id: number): Promise<void> => {
    for (let more = true; more; ) {
      const step = await insist(() => channel.call('replayStep', { id, now: Date.now() }));
      if (step === undefined) return;
      ({ more } = step);
    }
    tell.ended();
  };

  const inBackground = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.finally(() => background.delete(tracked));
    background.add(tracked);
  };

  const goOnWithAll = async (): Promise<void> => {
    const jobs = (await insist(() => channel.call('replays', undefined))) ?? [];
    for (const { id, done } of jobs.toReversed()) if (!done) await goOn(id);
  };

  return {
    async run(request) {
      let progress = await channel.call('replay', request);
      const { id } = progress;
      try {
        while (progress.more) progress = await channel.call('replayStep', { id, now: request.now });
      } catch (error) {
        inBackground(goOn(id));
        throw error;
      }
      return { replayed: progress.replayed };
    },
    resume: () => inBackground(goOnWithAll()),
    async stop() {
      stopping.abort();
      await Promise.all(background);
    },
  };
}

import type { ReplayJob } from '../journal/journal.ts';
import { isoTime } from './iso-time.ts';

/** A replay as the list shows it. */
export function replayView({ at, filter, finishedAt, ...job }: ReplayJob) {
  return {
    ...job,
    at: isoTime(at),
    filter: { ...filter, since: isoTime(filter.since), until: isoTime(filter.until) },
    finishedAt: isoTime(finishedAt),
  };
}

import type { Command } from 'commander';

/** How events are replayed. */
export interface ReplayOptions {
  readonly asNew?: boolean;
  readonly refetch?: boolean;
}

/** Adds the options of every replay. */
export function withReplayOptions(command: Command): Command {
  return command
    .option('--as-new', 'use a new _id, so that Adobe Profile treats the corrected event as a new one')
    .option('--refetch', "ask Capillary's API again, instead of using what it answered the first time");
}

/** Fields of the request; an older relay does not know `refetch`. */
export function replayFields({ asNew, refetch }: ReplayOptions): object {
  return { asNew: asNew === true, ...(refetch === true ? { refetch } : {}) };
}

import { describe } from 'vitest';
import { describeAliasing } from './aliasing.ts';
import { describeAppending } from './appending.ts';
import { describeClaiming } from './claiming.ts';
import { describeClockJumps } from './clock-jumps.ts';
import { describeClosing } from './closing.ts';
import { describeErasing } from './erasing.ts';
import { describeLookingUp } from './looking-up.ts';
import { describeQuarantine } from './quarantine.ts';
import { describeReplaying } from './replaying.ts';
import { describeReplayQueue } from './replay-queue.ts';
import { describeRetaining } from './retaining.ts';
import { describeRerouting } from './rerouting.ts';
import { describeSettling } from './settling.ts';
import type { MakeStore } from './test-store.ts';

/** Holds an engine to the contract of src/journal/journal.ts. With `describeModel`, which takes longer, it is the whole of it. */
export const describeJournalContract = (name: string, make: MakeStore): void => {
  describe(`the journal over ${name}`, () => {
    describeAppending(make);
    describeClaiming(make);
    describeClockJumps(make);
    describeSettling(make);
    describeErasing(make);
    describeAliasing(make);
    describeReplaying(make);
    describeReplayQueue(make);
    describeRerouting(make);
    describeLookingUp(make);
    describeQuarantine(make);
    describeRetaining(make);
    describeClosing(make);
  });
};

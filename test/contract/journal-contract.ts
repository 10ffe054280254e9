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

/** The part of the contract in which payloads are written and read: what an engine that closes them for the disk could do otherwise. */
export const describePayloadContract = (name: string, make: MakeStore): void => {
  describe(`the journal over ${name}`, () => {
    describeAppending(make);
    describeClaiming(make);
    describeSettling(make);
    describeErasing(make);
    describeReplaying(make);
    describeLookingUp(make);
    describeQuarantine(make);
  });
};

/** Holds an engine to the contract of src/journal/journal.ts. With `describeModel`, which takes longer, it is the whole of it. */
export const describeJournalContract = (name: string, make: MakeStore): void => {
  describePayloadContract(name, make);
  describe(`the journal over ${name}, beside payloads`, () => {
    describeClockJumps(make);
    describeAliasing(make);
    describeReplayQueue(make);
    describeRerouting(make);
    describeRetaining(make);
    describeClosing(make);
  });
};

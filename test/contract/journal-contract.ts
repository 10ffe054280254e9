import { describe } from 'vitest';
import { describeAliasing } from './aliasing.ts';
import { describeArrays } from './arrays.ts';
import { describeAppending } from './appending.ts';
import { describeClaiming } from './claiming.ts';
import { describeClockJumps } from './clock-jumps.ts';
import { describeClosing } from './closing.ts';
import { describeCountingContacts } from './counting-contacts.ts';
import { describeEntities } from './entities.ts';
import { describeErasing } from './erasing.ts';
import { describeLeases } from './leases.ts';
import { describeLookingUp } from './looking-up.ts';
import { describePrograms } from './programs.ts';
import { describeQuarantine } from './quarantine.ts';
import { describeReportingStatus } from './reporting-status.ts';
import { describeRefreshing } from './refreshing.ts';
import { describeReplaying } from './replaying.ts';
import { describeReplayQueue } from './replay-queue.ts';
import { describeMaintaining } from './maintaining.ts';
import { describeRerouting } from './rerouting.ts';
import { describeSettlementTimes } from './settlement-times.ts';
import { describeSettling } from './settling.ts';
import type { MakeStore } from './test-store.ts';

/** The part of the contract that writes and reads payloads, which encryption could affect. */
export function describePayloadContract(name: string, make: MakeStore): void {
  describe(`the journal over ${name}`, () => {
    describeAppending(make);
    describeClaiming(make);
    describeSettling(make);
    describeErasing(make);
    describeEntities(make);
    describeReplaying(make);
    describeLookingUp(make);
    describeQuarantine(make);
  });
}

/** The part of the contract that `describePayloadContract` leaves out. */
export function describeRestOfContract(name: string, make: MakeStore): void {
  describe(`the journal over ${name}, apart from payloads`, () => {
    describeArrays(make);
    describeLeases(make);
    describeReportingStatus(make);
    describeClockJumps(make);
    describeSettlementTimes(make);
    describeAliasing(make);
    describeCountingContacts(make);
    describeReplayQueue(make);
    describeRefreshing(make);
    describeRerouting(make);
    describeMaintaining(make);
    describePrograms(make);
    describeClosing(make);
  });
}

/**
 * Tests an engine against the contract of src/journal/journal.ts. Together with `describeModel`,
 * which takes longer, it covers the whole contract.
 */
export function describeJournalContract(name: string, make: MakeStore): void {
  describePayloadContract(name, make);
  describeRestOfContract(name, make);
}

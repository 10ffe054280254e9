import { append, appendMalformed } from './append.ts';
import { claim, release } from './claim.ts';
import { backlog, ledger } from './counts.ts';
import { discard } from './discard.ts';
import type { Engine } from './engine.ts';
import { count, find, list } from './lookups.ts';
import { pauses, setPause } from './pauses.ts';
import { profiles } from './profiles.ts';
import { promote } from './promote.ts';
import type { AnswerOf, OperationName, RequestOf } from './protocol.ts';
import { listQuarantined, quarantine, removeQuarantined } from './quarantine.ts';
import { replay, replayStep } from './replay.ts';
import { replays } from './replay-jobs.ts';
import { reroute } from './reroute.ts';
import { retain } from './retention.ts';
import { reseal } from './sealing.ts';
import { settle } from './settle.ts';
import { probe, usage } from './usage.ts';

/** What carries out each operation, inside a transaction. One that refuses a call does so before it writes. */
export const OPERATIONS: {
  readonly [Name in OperationName]: (engine: Engine, request: RequestOf<Name>) => AnswerOf<Name>;
} = {
  append,
  appendMalformed,
  quarantine,
  claim,
  settle,
  release,
  profiles,
  ledger,
  backlog,
  find,
  list,
  count,
  listQuarantined,
  replay,
  replayStep,
  replays,
  discard,
  reroute,
  promote,
  removeQuarantined,
  pauses,
  setPause,
  retain,
  reseal,
  usage,
  probe,
};

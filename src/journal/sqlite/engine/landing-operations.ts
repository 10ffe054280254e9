import { askRefresh } from './asked-refresh.ts';
import type { AnswerOf, RequestOf } from './calls.ts';
import { clearDoubts, doubt, doubts } from './doubt-table.ts';
import { known, knownSince, sentEvents } from './known-identities.ts';
import type { LandingOperations } from './landing-calls.ts';
import { confirm, deliverySpans, landing, landingSums } from './landing-table.ts';
import { reconciliationNotes, saveReconciliationNotes } from './reconciliation-notes.ts';
import { refuse } from './refused-later.ts';
import type { Engine } from './sqlite-engine.ts';
import { unwatch, watched } from './watch-table.ts';

/** The implementation of each operation of Landings. */
export const LANDING_OPERATIONS: {
  readonly [Name in keyof LandingOperations]: (engine: Engine, request: RequestOf<Name>) => AnswerOf<Name>;
} = {
  known,
  knownSince,
  sentEvents,
  deliverySpans,
  confirm,
  refuse,
  doubt,
  clearDoubts,
  doubts,
  watched,
  unwatch,
  landings: landingSums,
  landing,
  askRefresh,
  reconciliationNotes,
  saveReconciliationNotes,
};

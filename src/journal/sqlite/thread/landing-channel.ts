import type { Landings } from '../../journal.ts';
import { MAX_CHANGES_PER_STEP } from '../../operator-actions.ts';
import type { AnswerOf, OperationName, RequestOf } from '../engine/calls.ts';

type Send = <Name extends OperationName>(name: Name, request: RequestOf<Name>) => Promise<AnswerOf<Name>>;

/** Parts of a list that one step of the storage thread processes in some ms. */
function* partsOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += MAX_CHANGES_PER_STEP)
    yield all.slice(at, at + MAX_CHANGES_PER_STEP);
}

/** Calls over lists, in parts. */
function listCalls(send: Send) {
  return {
    refuse: async (destination, all) => {
      const refused: string[] = [];
      for (const records of partsOf(all))
        refused.push(...(await send('refuse', { destination, records })).refused);
      return { refused };
    },
    doubt: async (destination, all) => {
      let doubted = 0;
      for (const doubts of partsOf(all)) doubted += (await send('doubt', { destination, doubts })).doubted;
      return { doubted };
    },
    clearDoubts: async (all) => {
      for (const receipts of partsOf(all)) await send('clearDoubts', receipts);
    },
    unwatch: async (all) => {
      for (const receipts of partsOf(all)) await send('unwatch', receipts);
    },
    askRefresh: async (source, customerIds) => {
      let asked = 0;
      for (const customerId of new Set(customerIds))
        asked += (await send('askRefresh', { source, customerId })).asked;
      return { asked };
    },
  } satisfies Partial<Landings>;
}

export function landingCalls(send: Send): Landings {
  return {
    ...listCalls(send),
    known: (source, identities) => send('known', { source, identities }),
    knownSince: () => send('knownSince', undefined),
    sentEvents: (destination, prefixes) => send('sentEvents', { destination, prefixes }),
    deliverySpans: (destination, range) => send('deliverySpans', { destination, range }),
    confirm: (destination, range) => send('confirm', { destination, range }),
    doubts: (destination, limit) => send('doubts', { destination, limit }),
    watched: (destination, page) => send('watched', { destination, page }),
    landings: () => send('landings', undefined),
    landing: (receipt) => send('landing', receipt),
    reconciliationNotes: (scope) => send('reconciliationNotes', scope),
    saveReconciliationNotes: (scope, notes) => send('saveReconciliationNotes', { scope, notes }),
  };
}

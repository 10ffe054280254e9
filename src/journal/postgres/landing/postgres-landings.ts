import type { Landings } from '../../journal.ts';
import type { PostgresEngine } from '../engine/engine.ts';
import { askRefresh } from './asked-refreshes.ts';
import { confirm, deliverySpans } from './confirming.ts';
import { clearDoubts, doubt, doubts, unwatch, watched } from './doubting.ts';
import { known, knownSince, sentEvents } from './known-events.ts';
import { landing, landings, reconciliationNotes, saveReconciliationNotes } from './landing-states.ts';
import { refuse } from './refusing.ts';

/** What reconciliation asks and records; see Landings. */
export function createLandings(engine: PostgresEngine): Landings {
  return {
    known: (source, identities) => known(engine, source, identities),
    knownSince: () => knownSince(engine),
    sentEvents: (destination, prefixes) => sentEvents(engine, destination, prefixes),
    deliverySpans: (destination, range) => deliverySpans(engine, destination, range),
    confirm: (destination, range) => confirm(engine, destination, range),
    refuse: (destination, records) => refuse(engine, destination, records),
    doubt: (destination, given) => doubt(engine, destination, given),
    clearDoubts: (receipts) => clearDoubts(engine, receipts),
    doubts: (destination, limit) => doubts(engine, destination, limit),
    watched: (destination, page) => watched(engine, destination, page),
    unwatch: (receipts) => unwatch(engine, receipts),
    landings: () => landings(engine),
    landing: (receipt) => landing(engine, receipt),
    askRefresh: (source, customerIds) => askRefresh(engine, source, customerIds),
    reconciliationNotes: (scope) => reconciliationNotes(engine, scope),
    saveReconciliationNotes: (scope, notes) => saveReconciliationNotes(engine, scope, notes),
  };
}

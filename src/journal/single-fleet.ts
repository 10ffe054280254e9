import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { readVersion } from '../version.ts';
import { type Fleet, type ReplicaReport, SLOTS } from './fleet.ts';

/** A subscription to what never happens. */
function neverCalled(): () => void {
  return () => undefined;
}

function emptyReport(): ReplicaReport {
  return {};
}

/**
 * The only replica of a store that one process owns.
 * @param destinations those that have a claimant
 */
export function createSingleFleet(destinations: () => readonly string[]): Fleet {
  const self = { id: randomUUID(), name: hostname(), version: readVersion(), since: Date.now() };
  let describe = emptyReport;
  return {
    replicas: async () => [
      {
        ...self,
        silentFor: 0,
        isSelf: true,
        isLeader: true,
        slots: Object.fromEntries(destinations().map((name) => [name, SLOTS])),
        report: describe(),
      },
    ],
    replicaCount: () => 1,
    isLeader: () => true,
    shareOf: () => 1,
    onShares: neverCalled,
    describe: (report) => {
      describe = report;
    },
    postReport: async () => undefined,
    otherReports: async () => [],
    publish: () => undefined,
    onNotice: neverCalled,
  };
}

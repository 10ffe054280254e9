import { isDeepStrictEqual } from 'node:util';
import type { LandedRecord } from '../../../src/simulator/landed-record.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import type { Findings } from './findings.ts';
import { mappedAs, type Obligation, type Obligations, plain, type Terms } from './obligations.ts';

/** Records looked at in one go. */
const PORTION = 500;

/** A profile record that landed. */
export interface LandedProfile {
  readonly by: Obligation;
  readonly entity: Record<string, unknown>;
  /** Its place among all that landed. */
  readonly seq: number;
}

/** Looks at each record that lands at Adobe: is it owed, is it what it must be. */
export interface Witness {
  /** Looks at what is new. */
  look(): Promise<void>;
  /** Lane of an event's own customer → the last profile record by one of these events. */
  readonly profiles: ReadonlyMap<string, LandedProfile>;
  /** Records that had landed before. */
  readonly resent: number;
  readonly landed: number;
}

export const createWitness = (parts: {
  readonly simulator: Simulator;
  readonly obligations: Obligations;
  readonly terms: Terms;
  readonly findings: Findings;
}): Witness => {
  const { simulator, obligations, terms, findings } = parts;
  const profiles = new Map<string, LandedProfile>();
  let since = 0;
  let resent = 0;

  const lookAtEvent = async (record: LandedRecord, by: Obligation): Promise<void> => {
    const mapped = await mappedAs(by, terms);
    if (mapped.outcome !== 'messages') {
      findings.add(`${by.id}: landed although it is ${mapped.outcome} (${mapped.reason})`);
      return;
    }
    const expected = plain(mapped.event);
    const landed = plain(record.entity);
    // A time of the future is cut to that of the receipt, which only the relay knows.
    if (mapped.notes.some(({ code }) => code === 'after-receipt')) {
      delete expected['timestamp'];
      delete landed['timestamp'];
    }
    if (!isDeepStrictEqual(landed, expected)) {
      findings.add(`${by.id}: landed as ${JSON.stringify(landed)} and not as ${JSON.stringify(expected)}`);
    }
  };

  const lookAt = async (record: LandedRecord): Promise<void> => {
    const by = obligations.byId(record.id ?? '');
    if (by?.began === undefined || record.kind === 'raw') {
      findings.add(`${record.id}: landed and was never posted`);
      return;
    }
    if (by.isPoison) findings.add(`${by.id}: landed although it was refused`);
    if (record.dropped.length > 0) findings.add(`${by.id}: dropped: ${record.dropped.join('; ')}`);
    by.copies += 1;
    if (by.landed[record.kind] !== undefined) resent += 1;
    by.landed[record.kind] ??= record.seq;
    if (record.kind === 'event') await lookAtEvent(record, by);
    else profiles.set(by.event.lane ?? '', { by, entity: plain(record.entity), seq: record.seq });
  };

  const lookOn = async (): Promise<void> => {
    for (;;) {
      const records = simulator.landed({ since, limit: PORTION });
      for (const record of records) {
        since = record.seq;
        await lookAt(record);
      }
      if (records.length < PORTION) return;
    }
  };

  // One at a time, however many ask.
  let looking = Promise.resolve();
  return {
    profiles,
    look() {
      looking = looking.then(lookOn);
      return looking;
    },
    get resent() {
      return resent;
    },
    get landed() {
      return since;
    },
  };
};

import { isDeepStrictEqual } from 'node:util';
import type { LandedRecord } from '../../../src/simulator/adobe/landed-store.ts';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import {
  asJson,
  type Expectations,
  type ExpectedEvent,
  expectedMapping,
  type MappingSettings,
} from './expectations.ts';
import type { Findings } from './findings.ts';

/** Records read from the simulator at a time. */
const PAGE_SIZE = 500;

/** A profile record that landed. */
export interface LandedProfile {
  readonly expected: ExpectedEvent;
  readonly entity: Record<string, unknown>;
  /** Its sequence number among everything that landed. */
  readonly seq: number;
}

/**
 * Checks each record that lands at Adobe (is it expected, is its content correct) and remembers it.
 */
export interface Recorder {
  /** Reads the records that landed since the last call. */
  poll(): Promise<void>;
  /** Lane of an event's own customer → the last profile record from an event of that lane. */
  readonly profiles: ReadonlyMap<string, LandedProfile>;
  /** Records that had landed before. */
  readonly resent: number;
  readonly landed: number;
}

export function createRecorder(parts: {
  readonly simulator: Simulator;
  readonly expectations: Expectations;
  readonly settings: MappingSettings;
  readonly findings: Findings;
}): Recorder {
  const { simulator, expectations, settings, findings } = parts;
  const profiles = new Map<string, LandedProfile>();
  let lastSeq = 0;
  let resent = 0;

  const checkEvent = async (record: LandedRecord, expected: ExpectedEvent): Promise<void> => {
    const mapped = await expectedMapping(expected, settings);
    if (mapped.outcome !== 'messages') {
      findings.add(`${expected.id}: landed although it is ${mapped.outcome} (${mapped.reason})`);
      return;
    }
    const expectedEntity = asJson(mapped.event);
    const landed = asJson(record.entity);
    // A future or missing timestamp is replaced by the time of receipt, which only the relay knows.
    if (mapped.notes.some(({ code }) => code === 'after-receipt' || code === 'no-event-time')) {
      delete expectedEntity['timestamp'];
      delete landed['timestamp'];
    }
    if (!isDeepStrictEqual(landed, expectedEntity)) {
      findings.add(
        `${expected.id}: landed ${JSON.stringify(landed)}, expected ${JSON.stringify(expectedEntity)}`,
      );
    }
  };

  const check = async (record: LandedRecord): Promise<void> => {
    const expected = expectations.byId(record.id ?? '');
    if (expected?.firstPostMs === undefined || record.kind === 'raw') {
      findings.add(`${record.id}: landed but was never posted`);
      return;
    }
    if (expected.isPoison) findings.add(`${expected.id}: landed although Adobe rejected it`);
    if (record.dropped.length > 0)
      findings.add(`${expected.id}: Adobe dropped: ${record.dropped.join('; ')}`);
    if (expected.landed[record.kind] !== undefined) resent += 1;
    expected.landed[record.kind] ??= record.seq;
    if (record.kind === 'event') {
      expected.landedMs ??= record.at - performance.timeOrigin;
      await checkEvent(record, expected);
    } else {
      const entity = asJson(record.entity);
      profiles.set(expected.event.lane ?? '', { expected, entity, seq: record.seq });
    }
  };

  const readNew = async (): Promise<void> => {
    for (;;) {
      const records = simulator.landed({ since: lastSeq, limit: PAGE_SIZE });
      for (const record of records) {
        lastSeq = record.seq;
        await check(record);
      }
      if (records.length < PAGE_SIZE) return;
    }
  };

  // Polls run one after the other, however many callers there are.
  let polling = Promise.resolve();
  return {
    profiles,
    poll() {
      polling = polling.then(readNew);
      return polling;
    },
    get resent() {
      return resent;
    },
    get landed() {
      return lastSeq;
    },
  };
}

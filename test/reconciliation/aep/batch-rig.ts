import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import {
  createFailedBatchCheck,
  type FailedBatchParts,
} from '../../../src/reconciliation/aep/failed-batch-check.ts';
import type { Journal, Landings, MessageKind } from '../../../src/journal/journal.ts';
import { openSqliteJournal } from '../../../src/journal/sqlite/sqlite-journal.ts';
import { xdmId } from '../../../src/xdm/xdm-record.ts';
import { journalFolder } from '../../journal/journal-folder.ts';
import { type Gateway, startGateway } from './aep-gateway.ts';

export const EVENTS = 'events-dataset';
export const PROFILES = 'profiles-dataset';

/** An event in the journal, and the `_id` of its records. */
export interface SentOne {
  readonly receipt: string;
  readonly identity: string;
  readonly id: string;
}

const LIMITS = { sources: ['acme'], events: 20_000, replays: 20_000, bytes: 1e9 };
let count = 0;

/** What is found, without the names of the rig. */
export interface Found {
  readonly kind: string;
  readonly cause: string;
  readonly count: number;
}

/** Opens the same store again, as another process would. */
export async function openRigJournal(path: string): Promise<Journal & Landings> {
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  onTestFinished(() => journal.close());
  return journal;
}

/** Accepts events and delivers their messages now. */
export async function deliverEvents(
  journal: Journal,
  number: number,
  kinds: readonly MessageKind[] = ['event'],
  at = Date.now(),
): Promise<SentOne[]> {
  const appended = await acceptEvents(journal, number);
  await deliverPending(journal, kinds, at);
  return appended;
}

/** Accepts events, which are pending then. */
export async function acceptEvents(journal: Journal, number: number): Promise<SentOne[]> {
  const events = Array.from({ length: number }, () => {
    count += 1;
    const identity = createHash('sha256').update(`event ${count}`).digest('hex');
    return {
      source: 'acme',
      destination: 'aep',
      identity,
      orgId: 100_737,
      eventName: 'pointsIssued',
      eventId: `id-${count}`,
      receivedAt: Date.now(),
      verifiedBy: 'header:x-relay-key',
      body: Buffer.from('{}'),
    };
  });
  const appended = await journal.append(events);
  return appended.map(({ receipt }, place) => {
    const { identity } = events[place] as { identity: string };
    return { receipt, identity, id: xdmId(identity) };
  });
}

/** Delivers everything that is pending, by requests of `at`. @returns the receipts */
export async function deliverPending(
  journal: Journal,
  kinds: readonly MessageKind[] = ['event'],
  at = Date.now(),
): Promise<string[]> {
  const { token, events } = await journal.claim({ id: 'rig', destination: 'aep' }, LIMITS);
  const requests = kinds.map((kind) => ({
    id: `request ${(count += 1)}`,
    at,
    kind,
    status: 207,
    durationMs: 3,
    batchSize: events.length,
  }));
  await journal.settle(
    token,
    events.map(({ receipt, delivered }) => ({
      receipt,
      state: 'delivered',
      delivered: [...new Set([...delivered, ...kinds])],
      attempts: requests.map((request) => ({ request, outcome: 'delivered' })),
    })),
  );
  return events.map(({ receipt }) => receipt);
}

/** A line of a file: the record with this `_id`, and why it was refused. */
export function failedLine(id: string, more: object = {}): string {
  const error = {
    code: 'DCVS-1105-400',
    message: '[asha@example.org] is no date',
    pointerToViolation: '#/x',
  };
  return JSON.stringify({ body: { xdmEntity: { _id: id, ...more } }, _validationErrors: [error] });
}

/** A journal, a gateway of AEP, and the check between them. */
export async function setUpBatches(more: Partial<FailedBatchParts> = {}) {
  const path = await journalFolder();
  const journal = await openRigJournal(path);
  const gateway: Gateway = await startGateway();
  const found: Found[] = [];
  const calls: string[] = [];
  const checkWith = (parts: Partial<FailedBatchParts> = {}) =>
    createFailedBatchCheck({
      destination: {
        name: 'aep',
        format: 'xdm',
        events: { schemaId: 's', datasetId: EVENTS, flowId: 'f' },
        profile: { schemaId: 's', datasetId: PROFILES, flowId: 'f', write: 'assemble' },
      },
      client: gateway.client,
      journal,
      observer: {
        found: ({ kind, cause, count: number }) => void found.push({ kind, cause, count: number }),
        called: (_side, _name, outcome) => void calls.push(outcome),
      },
      now: Date.now,
      ...more,
      ...parts,
    });

  /** A batch that has failed just now, with these lines in one file. */
  const fail = (id: string, lines: readonly string[] | string | Buffer, datasetId = EVENTS): void => {
    const isText = typeof lines === 'string' || Buffer.isBuffer(lines);
    const content = isText ? lines : `${lines.join('\n')}\n`;
    const now = Date.now();
    gateway.batches.push({ id, datasetId, created: now, completed: now, files: { 'part-0.json': content } });
  };

  const stateOf = async (receipt: string): Promise<string> => {
    const event = (await journal.find(receipt))?.event;
    return event?.reason ?? event?.state ?? 'none';
  };

  return { path, journal, gateway, found, calls, check: checkWith(), checkWith, fail, stateOf };
}

export type BatchRig = Awaited<ReturnType<typeof setUpBatches>>;

export const NEVER = new AbortController().signal;

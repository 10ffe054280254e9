import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { sourceSchema } from '../../../src/config/source-config.ts';
import { DIRECT_EGRESS } from '../../../src/http/egress.ts';
import type { KnownEvent } from '../../../src/journal/landings.ts';
import {
  createSourceReconciler,
  type SourceReconcilerParts,
} from '../../../src/reconciliation/capillary/source-reconciler.ts';
import { clientOfLog } from './log-fake.ts';

const ORG = 100_737;
const START = Date.UTC(2026, 10, 30);
const NOW = START + 3_600_000;
const ROWS = 200_000;
/** One of so many was not accepted. */
const LOST = 50;
const PAGE = 100;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A journal that knows most events without holding any. */
function countingJournal() {
  const taken = new Set<string>();
  const notes = new Map<string, string>();
  const sizes = { identities: 0, notes: 0 };
  let appends = 0;
  const known: KnownEvent = { receipt: 'r', verifiedBy: 'header', receivedAt: START };
  const isLost = (identity: string): boolean => Number.parseInt(identity.slice(0, 8), 16) % LOST === 0;
  const unused = () => Promise.reject(new Error('not used'));
  const journal: SourceReconcilerParts['journal'] = {
    known: async (_source, identities) => {
      sizes.identities = Math.max(sizes.identities, identities.length);
      return new Map(
        identities.flatMap((identity) => (isLost(identity) ? [] : [[identity, known] as const])),
      );
    },
    append: async (events) => {
      appends += events.length;
      for (const { identity } of events) taken.add(identity.slice(0, 16));
      return events.map(() => ({ receipt: `receipt-${appends}`, duplicate: false }));
    },
    knownSince: async () => undefined,
    askRefresh: async () => ({ asked: 0 }),
    reconciliationNotes: async () => new Map(notes),
    saveReconciliationNotes: async (_scope, changes) => {
      for (const [key, json] of Object.entries(changes)) {
        if (json === null) notes.delete(key);
        else notes.set(key, json);
      }
      const size = [...notes.values()].reduce((sum, { length }) => sum + length, 0);
      sizes.notes = Math.max(sizes.notes, size);
    },
    appendMalformed: unused,
    find: unused,
    list: unused,
    recordDifferingCopy: unused,
  };
  return { journal, sizes, taken };
}

test('200,000 events of one slot are compared page by page, and few are held', async () => {
  const { journal, sizes, taken } = countingJournal();
  const pages: WeakRef<object>[] = [];
  let running = 0;
  let atOnce = 0;
  const log = clientOfLog({
    count: ROWS,
    generatedAt: (index) => START + Math.floor(index / 250),
    row: (index) => ({
      id: `row-${index}`,
      eventId: `event-${index}`,
      eventType: 'customerUpdated',
      orgId: String(ORG),
      deliveryStatus: 'FAILED',
      enrichedPayload: JSON.stringify(
        JSON.stringify({ eventName: 'customerUpdated', eventId: `event-${index}`, orgId: ORG, data: {} }),
      ),
    }),
  });
  const held: number[] = [];
  const reconciler = createSourceReconciler({
    source: sourceSchema.parse({
      name: 'acme',
      destination: 'acme-aep',
      verify: [{ type: 'none' }],
      api: { url: 'http://127.0.0.1:1', key: 'key', secret: 'secret' },
      webhook: {
        name: 'relay',
        url: 'http://127.0.0.1:1/webhooks/acme',
        header: { name: 'X-Key', value: 'v' },
      },
      reconcile: { window: '1h' },
    }),
    journal,
    bodyLimit: () => 1_048_576,
    admission: { refusal: () => undefined, admit: () => undefined },
    egress: DIRECT_EGRESS,
    sharedClient: () => ({
      async get(path, options) {
        running += 1;
        atOnce = Math.max(atOnce, running);
        const answer = await log.get(path, options);
        running -= 1;
        if (answer.ok) pages.push(new WeakRef(answer.body as object));
        if (pages.length % 500 === 0) {
          // What was awaited before is free only in a later turn.
          await new Promise((resolve) => setImmediate(resolve));
          collectGarbage();
          held.push(pages.filter((page) => page.deref() !== undefined).length);
        }
        return answer;
      },
    }),
    observer: {
      runEnded: () => undefined,
      found: () => undefined,
      recovered: () => undefined,
      called: () => undefined,
      errorCaught: () => undefined,
    },
    now: () => NOW,
  });
  await reconciler.run({}, new AbortController().signal);
  const { sums, differences } = await reconciler.report();
  expect(sums).toMatchObject({ sent: ROWS, recovered: taken.size, unrecoverable: 0, missing: 0 });
  expect(taken.size).toBeGreaterThan(ROWS / LOST / 2);
  expect(atOnce).toBe(1);
  expect(sizes.identities).toBeLessThanOrEqual(PAGE);
  expect(held).toHaveLength(4);
  for (const count of held) expect(count).toBeLessThan(5);
  expect(sizes.notes).toBeLessThan(100_000);
  expect(differences.length).toBeLessThanOrEqual(2 * 21);
  expect(differences.reduce((sum, { count }) => sum + count, 0)).toBe(ROWS);
});

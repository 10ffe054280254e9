import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourceSchema } from '../../../src/config/source-config.ts';
import { DIRECT_EGRESS } from '../../../src/http/egress.ts';
import { accept } from '../../../src/intake/accept.ts';
import { openSqliteJournal } from '../../../src/journal/sqlite/sqlite-journal.ts';
import { createSourceReconciler } from '../../../src/reconciliation/capillary/source-reconciler.ts';
import { markVerified } from '../../../src/sources/verifier.ts';
import { ORG } from '../../simulator/capillary/api/delivery-rig.ts';
import { clientOfLog } from './log-fake.ts';

const START = Date.UTC(2026, 10, 30);
const NOW = START + 3_600_000;
const BODY_LIMIT = 1_048_576;
/** Events of the first slot; the others are in the next one. */
const FIRST_SLOT = 230;
const EVENTS = 250;
type Journal = Awaited<ReturnType<typeof openSqliteJournal>>;

let folder = '';
let journal: Journal;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'relay-interrupted-'));
  journal = await openSqliteJournal({ path: folder, encryptionKeys: [] });
});

afterAll(async () => {
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What happened to each event: most were accepted. */
function fateOf(index: number): 'accepted' | 'given-up' | 'malformed' | 'bare' | 'lost answer' {
  if (index % 40 === 7) return 'given-up';
  if (index === 55 || index === 155) return 'malformed';
  if (index === 60) return 'bare';
  return index === 65 ? 'lost answer' : 'accepted';
}

function bodyOf(index: number, source: string): string {
  const event = { eventName: 'customerUpdated', eventId: `${source}-event-${index}`, data: { index } };
  return JSON.stringify(fateOf(index) === 'malformed' ? { ...event, orgId: 5 } : { ...event, orgId: ORG });
}

function logOf(source: string) {
  return clientOfLog({
    count: EVENTS,
    generatedAt: (index) => START + (index < FIRST_SLOT ? index : 900_000 + index),
    row: (index) => ({
      id: `row-${index}`,
      eventId: `${source}-event-${index}`,
      eventType: 'customerUpdated',
      eventSearchKey: '610200345',
      orgId: String(ORG),
      deliveryStatus: fateOf(index) === 'accepted' ? 'SUCCESS' : 'FAILED',
      enrichedPayload: fateOf(index) === 'bare' ? null : JSON.stringify(bodyOf(index, source)),
    }),
  });
}

function sourceOf(name: string) {
  return sourceSchema.parse({
    name,
    destination: 'acme-aep',
    orgIds: [ORG],
    verify: [{ type: 'none' }],
    api: { url: 'http://127.0.0.1:1', key: 'key', secret: 'secret' },
    webhook: {
      name: 'relay',
      url: 'http://127.0.0.1:1/webhooks/acme',
      header: { name: 'X-Key', value: 'v' },
    },
    reconcile: { window: '2h' },
    enrich: {},
  });
}

class Killed extends Error {}

/** Counts what leaves the process; from one step on nothing does any more. */
function killer(step: number, when: 'before' | 'after') {
  let steps = 0;
  const pass = async <T>(work: () => Promise<T>): Promise<T> => {
    steps += 1;
    const own = steps;
    if (own > step || (own === step && when === 'before')) throw new Killed();
    const result = await work();
    if (own === step) throw new Killed();
    return result;
  };
  const guard = <T extends object>(target: T, names: readonly (keyof T)[]): T => {
    const guarded = names.map((name) => {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>;
      return [name, (...args: unknown[]) => pass(() => method(...args))];
    });
    return { ...target, ...Object.fromEntries(guarded) };
  };
  return { guard, steps: () => steps };
}

/** A run of a source whose process dies at a step, then runs until one is complete. */
async function runKilled(name: string, step: number, when: 'before' | 'after') {
  const source = sourceOf(name);
  const indices = Array.from({ length: EVENTS }, (_, index) => index);
  const posted = indices.filter((index) => ['accepted', 'lost answer'].includes(fateOf(index)));
  await Promise.all(
    posted.map((index) => {
      const body = Buffer.from(bodyOf(index, name));
      const received = { body, headers: {}, rawHeaders: [], ip: '', receivedAt: NOW };
      return accept({ journal, bodyLimit: BODY_LIMIT }, source, markVerified(received, 'header'));
    }),
  );
  const client = logOf(name);
  const kill = killer(step, when);
  let found = 0;
  const run = async (guard: typeof kill.guard) => {
    const reconciler = createSourceReconciler({
      source,
      journal: guard(journal, [
        ...(['append', 'appendMalformed', 'known', 'knownSince', 'askRefresh', 'list', 'find'] as const),
        ...(['reconciliationNotes', 'saveReconciliationNotes'] as const),
      ]),
      bodyLimit: () => BODY_LIMIT,
      admission: { refusal: () => undefined, admit: () => undefined },
      egress: DIRECT_EGRESS,
      sharedClient: () => guard(client, ['get']),
      observer: {
        runEnded: () => undefined,
        found: ({ count }) => {
          found += count;
        },
        recovered: () => undefined,
        called: () => undefined,
        errorCaught: () => undefined,
      },
      now: () => NOW,
    });
    await reconciler.run({}, new AbortController().signal);
    return reconciler.report();
  };
  const died = await run(kill.guard).then(
    () => false,
    (error: unknown) => {
      if (!(error instanceof Killed)) throw error;
      return true;
    },
  );
  const report = await run((target) => target);
  const events = await journal.count({ source: name, states: ['pending'] });
  const malformed = await journal.count({ source: name, states: ['malformed'] });
  const differences = report.differences.map(({ receipt: _receipt, fix: _fix, eventId, ...rest }) => ({
    ...rest,
    eventId: eventId?.replace(name, ''),
  }));
  return {
    died,
    found,
    steps: kill.steps(),
    result: { sums: report.sums, open: report.open, differences, events, malformed },
  };
}

describe('a process that is killed during a run', () => {
  test.each(['before', 'after'] as const)(
    '%s any step leaves the same result to the next one',
    async (when) => {
      const whole = await runKilled(`whole-${when}`, Number.POSITIVE_INFINITY, when);
      expect(whole.died).toBe(false);
      expect(whole.result).toMatchObject({
        sums: { sent: EVENTS, accepted: EVENTS - 10, recovered: 7, unrecoverable: 3, missing: 0 },
        open: { 'no-payload': 3 },
        events: EVENTS - 3,
        malformed: 2,
      });
      for (let step = 1; step <= whole.steps; step += 1) {
        const killed = await runKilled(`${when}-${step}`, step, when);
        expect({ step, died: killed.died }).toEqual({ step, died: true });
        expect({ step, ...killed.result }).toEqual({ step, ...whole.result });
      }
    },
  );
});

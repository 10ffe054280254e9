import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { describe, expect, it } from 'vitest';
import { runBatch } from '../../src/journal/sqlite/engine/batch.ts';
import type { Engine } from '../../src/journal/sqlite/engine/sqlite-engine.ts';
import type { Step, Stepped } from '../../src/journal/sqlite/engine/calls.ts';
import { scanDescending, scanAscending, countRange } from '../../src/journal/sqlite/engine/scan.ts';
import { sampleEvent } from '../contract/samples.ts';
import { openTestEngine } from './journal-folder.ts';

const EVENTS = 50;

async function openFilledEngine(): Promise<Engine> {
  const engine = await openTestEngine();
  const names = Array.from({ length: EVENTS }, (_, n) => (n % 3 === 0 ? 'third' : 'other'));
  runBatch(
    engine,
    names.map((eventName) => ({ name: 'append', request: packEvents([sampleEvent({ eventName })]) })),
  );
  // A gap, as retention leaves behind.
  engine.db.run('DELETE FROM events WHERE seq BETWEEN 20 AND 30');
  return engine;
}

/** Runs all steps of a scan, each over `span` positions. */
function runSteps<Answer extends Stepped>(span: number, run: (step: Step) => Answer): Answer[] {
  const answers: Answer[] = [];
  let step: Step | undefined = { span };
  while (step !== undefined) {
    const answer = run(step);
    answers.push(answer);
    // Ignores the adjusted span, which depends on the speed of the machine.
    step = answer.next && { ...answer.next, span };
  }
  return answers;
}

const thirds = Array.from({ length: EVENTS }, (_, n) => n + 1).filter(
  (seq) => (seq - 1) % 3 === 0 && (seq < 20 || seq > 30),
);
const filter = { eventName: 'third' };

describe.each([1, 7, 50, 51, 1_000])('a scan in steps of %i positions', (span) => {
  it('visits each record once, descending', async () => {
    const engine = await openFilledEngine();
    const found = runSteps(span, (step) =>
      scanDescending(engine, filter, { limit: 1_000, maxBytes: 1e9 }, step),
    ).flatMap(({ rows }) => rows);
    expect(found.map((row) => row.seq)).toEqual(thirds.toReversed());
  });

  it('visits each record once, ascending, and none that was added meanwhile', async () => {
    const engine = await openFilledEngine();
    const found = runSteps(span, (step) => {
      runBatch(engine, [{ name: 'append', request: packEvents([sampleEvent(filter)]) }]);
      return scanAscending(engine, filter, 4, step);
    }).flatMap(({ rows }) => rows);
    // The first step starts after one event was appended.
    expect(found.map((row) => row.seq)).toEqual([...thirds, EVENTS + 1]);
  });

  it('counts each record once', async () => {
    const engine = await openFilledEngine();
    const counted = runSteps(span, (step) => countRange(engine, filter, step)).map(({ count }) => count);
    expect(counted.reduce((sum, count) => sum + count)).toBe(thirds.length);
  });
});

describe('a scan of an empty journal', () => {
  it('ends immediately', async () => {
    const engine = await openTestEngine();
    const step = { span: 10 };
    const size = { limit: 5, maxBytes: 1_000 };
    expect(scanDescending(engine, {}, size, step)).toEqual({ rows: [], bytes: 0 });
    expect(scanAscending(engine, {}, 5, step)).toEqual({ rows: [] });
    expect(countRange(engine, {}, step)).toEqual({ count: 0 });
  });
});

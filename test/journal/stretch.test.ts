import { describe, expect, it, onTestFinished } from 'vitest';
import { runBatch } from '../../src/journal/sqlite/batch.ts';
import { type Engine, openEngine } from '../../src/journal/sqlite/engine.ts';
import type { Step, Stepped } from '../../src/journal/sqlite/protocol.ts';
import { fall, rise, tally } from '../../src/journal/sqlite/stretch.ts';
import { sampleEvent } from '../contract/samples.ts';
import { journalFolder } from './journal-folder.ts';

const EVENTS = 50;

const filled = async (): Promise<Engine> => {
  const engine = openEngine({ path: await journalFolder(), keys: [] });
  onTestFinished(() => engine.db.close());
  const names = Array.from({ length: EVENTS }, (_, n) => (n % 3 === 0 ? 'third' : 'other'));
  runBatch(
    engine,
    names.map((eventName) => ({ name: 'append', request: sampleEvent({ eventName }) })),
  );
  // A gap, as retention leaves them.
  engine.db.run('DELETE FROM events WHERE seq BETWEEN 20 AND 30');
  return engine;
};

/** All the steps of a scan, each looking at so many positions. */
const steps = <Answer extends Stepped>(span: number, take: (step: Step) => Answer): Answer[] => {
  const answers: Answer[] = [];
  let step: Step | undefined = { span };
  while (step !== undefined) {
    const answer = take(step);
    answers.push(answer);
    // The pace is left out: it depends on the machine.
    step = answer.next && { ...answer.next, span };
  }
  return answers;
};

const thirds = Array.from({ length: EVENTS }, (_, n) => n + 1).filter(
  (seq) => (seq - 1) % 3 === 0 && (seq < 20 || seq > 30),
);
const filter = { eventName: 'third' };

describe.each([1, 7, 50, 51, 1_000])('a scan in steps of %i positions', (span) => {
  it('meets each record once, falling', async () => {
    const engine = await filled();
    const met = steps(span, (step) => fall(engine, filter, 1_000, step)).flatMap(({ rows }) => rows);
    expect(met.map((row) => row.seq)).toEqual(thirds.toReversed());
  });

  it('meets each record once, rising, and none that came meanwhile', async () => {
    const engine = await filled();
    const met = steps(span, (step) => {
      runBatch(engine, [{ name: 'append', request: sampleEvent(filter) }]);
      return rise(engine, filter, 4, step);
    }).flatMap(({ rows }) => rows);
    // The first step begins after one was appended.
    expect(met.map((row) => row.seq)).toEqual([...thirds, EVENTS + 1]);
  });

  it('counts each record once', async () => {
    const engine = await filled();
    const counted = steps(span, (step) => tally(engine, filter, step)).map(({ count }) => count);
    expect(counted.reduce((sum, count) => sum + count)).toBe(thirds.length);
  });
});

describe('a scan of nothing', () => {
  it('ends at once', async () => {
    const engine = openEngine({ path: await journalFolder(), keys: [] });
    onTestFinished(() => engine.db.close());
    const step = { span: 10 };
    expect(fall(engine, {}, 5, step)).toEqual({ rows: [] });
    expect(rise(engine, {}, 5, step)).toEqual({ rows: [] });
    expect(tally(engine, {}, step)).toEqual({ count: 0 });
  });
});

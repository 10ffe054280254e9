import { expect, it, onTestFinished } from 'vitest';
import { append } from '../../src/journal/sqlite/append.ts';
import { type Engine, openEngine } from '../../src/journal/sqlite/engine.ts';
import { reroute } from '../../src/journal/sqlite/reroute.ts';
import { sampleEvent } from '../contract/samples.ts';
import { journalFolder } from './journal-folder.ts';

const openTestEngine = async (): Promise<Engine> => {
  const engine = openEngine({ path: await journalFolder(), keys: [] });
  onTestFinished(() => engine.db.close());
  return engine;
};

/** One position a step, so that an answer without a next step means that nothing was looked through. */
const step = { span: 1 };

it('does not look through a backlog that is all at the right destination: every start asks', async () => {
  const engine = await openTestEngine();
  for (let count = 0; count < 3; count += 1)
    append(engine, sampleEvent({ source: 'acme', destination: 'aep' }));
  expect(reroute(engine, { source: 'acme', destination: 'aep', step })).toEqual({ done: 0 });
  append(engine, sampleEvent({ source: 'other', destination: 'old' }));
  expect(reroute(engine, { source: 'acme', destination: 'aep', step })).toMatchObject({ done: 0, next: {} });
});

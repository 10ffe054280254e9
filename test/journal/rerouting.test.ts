import { packEvents } from '../../src/journal/sqlite/engine/packed-events.ts';
import { expect, it } from 'vitest';
import { append } from '../../src/journal/sqlite/engine/append.ts';
import { reroute } from '../../src/journal/sqlite/engine/operator-changes.ts';
import { sampleEvent } from '../contract/samples.ts';
import { openTestEngine } from './journal-folder.ts';

/** One position per step, so that an answer without a next step means that nothing was scanned. */
const step = { span: 1 };

it('does not scan a backlog that is already at the right destination, because every start calls it', async () => {
  const engine = await openTestEngine();
  for (let count = 0; count < 3; count += 1)
    append(engine, packEvents([sampleEvent({ source: 'acme', destination: 'aep' })]));
  expect(reroute(engine, { source: 'acme', destination: 'aep', by: 'olga', step })).toEqual({ done: 0 });
  append(engine, packEvents([sampleEvent({ source: 'other', destination: 'old' })]));
  expect(reroute(engine, { source: 'acme', destination: 'aep', by: 'olga', step })).toMatchObject({
    done: 0,
    next: {},
  });
});

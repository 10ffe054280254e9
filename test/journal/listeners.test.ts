import { describe, expect, it } from 'vitest';
import { sampleEvent } from '../contract/samples.ts';
import { journalFolder, openJournal } from './journal-folder.ts';

describe('a listener that throws', () => {
  it('is logged and disturbs neither the others nor the journal', async () => {
    const log: unknown[] = [];
    const journal = await openJournal(await journalFolder(), {
      log: { error: (fields, message) => log.push([fields, message]) },
    });
    const called: string[] = [];
    const error = new Error('mine');
    journal.onClaimable(() => {
      throw error;
    });
    journal.onClaimable((destination) => called.push(destination));
    await journal.append(sampleEvent());
    await journal.append(sampleEvent());
    expect(called).toEqual(['aep', 'aep']);
    const line = [{ err: error, destination: 'aep' }, 'a listener of the store failed'];
    expect(log).toEqual([line, line]);
  });
});

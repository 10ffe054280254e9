import type { Journal } from '../../src/journal/journal.ts';
import { appendSettled, sampleEvent, settled, sha256 } from '../contract/samples.ts';

/** The lane of the customer whose dead letter hides the word. */
export const ANN = sha256('ann');

/** Puts a word into everything that is kept sealed of a dead letter and its customer. */
export const hideInDeadLetter = async (journal: Journal, word: string, body: Buffer): Promise<void> => {
  await appendSettled(journal, sampleEvent({ lane: ANN, body }), (receipt) => ({
    ...settled.dead(receipt),
    state: 'dead',
    reason: 'rejected',
    detail: 'no',
    sent: [{ kind: 'event', json: `{"${word}":1}` }],
    profiles: [{ lane: ANN, state: `{"${word}":2}` }],
    notes: [{ path: `data.${word}`, code: 'too-long' }],
  }));
};

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from '../../src/journal/journal.ts';
import { appendSettled, sampleEvent, settled, sha256 } from '../contract/samples.ts';

/** The lane of the customer of the marked dead letter. */
export const ANN = sha256('ann');

/** Puts a word into every encrypted place of a dead letter and its customer. */
export async function appendMarkedDeadLetter(journal: Journal, word: string, body: Buffer): Promise<void> {
  await appendSettled(journal, sampleEvent({ lane: ANN, body }), (receipt) => ({
    ...settled.dead(receipt),
    state: 'dead',
    reason: 'rejected',
    detail: 'no',
    sent: [{ kind: 'event', json: `{"${word}":1}` }],
    profiles: [{ lane: ANN, state: `{"${word}":2}` }],
    notes: [{ path: `data.${word}`, code: 'too-long' }],
    enrichment: { entities: `{"${word}":3}` },
  }));
}

/** Whether any file in the folder contains the word. */
export async function filesContain(path: string, word: string): Promise<boolean> {
  const contents = await Promise.all((await readdir(path)).map((name) => readFile(join(path, name))));
  return contents.some((content) => content.includes(word));
}

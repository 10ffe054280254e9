import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { appendAllSettled, sampleEvent, settled, T0 } from '../contract/samples.ts';

/*
 * Runs in a separate process: appends dead letters to the journal in the given folder, replays them
 * all, and prints their receipts while the replay is in progress.
 */
const EVENTS = 2_000;

/** The actions have the time of the test's own journals. */
const clock = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)).fill(T0);

async function run(path: string): Promise<void> {
  const journal = await openSqliteJournal({ path, encryptionKeys: [], clock });
  const events = Array.from({ length: EVENTS }, () => sampleEvent());
  const receipts = await appendAllSettled(journal, events, settled.dead);
  const replaying = journal.replay({ filter: {}, asNew: true, by: 'olga' });
  for (;;) {
    const [job] = await journal.replays();
    if (job?.done === true) throw new Error('the replay finished before it could be observed');
    if (job !== undefined && job.replayed > 0) break;
  }
  process.stdout.write(receipts.map((receipt) => `${receipt}\n`).join(''));
  await replaying;
}

run(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(3);
});

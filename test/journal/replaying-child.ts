import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { appendSettled, sampleEvent, settled, T0 } from '../contract/samples.ts';

/*
 * Run as a process of its own: buries events in the journal in the folder given, replays them all, and prints their receipts as soon as
 * the replay has begun and has not ended.
 */
const EVENTS = 2_000;

const run = async (path: string): Promise<void> => {
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  const receipts = await Promise.all(
    Array.from({ length: EVENTS }, () => appendSettled(journal, sampleEvent(), settled.dead)),
  );
  const replaying = journal.replay({ filter: {}, asNew: true, by: 'olga', now: T0 });
  for (;;) {
    const [job] = await journal.replays();
    if (job?.done === true) throw new Error('the replay had ended before it was looked at');
    if (job !== undefined && job.replayed > 0) break;
  }
  process.stdout.write(receipts.map((receipt) => `${receipt}\n`).join(''));
  await replaying;
};

run(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(3);
});

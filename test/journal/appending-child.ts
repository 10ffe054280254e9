import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';
import { sampleEvent, sha256 } from '../contract/samples.ts';

/*
 * Run as a process of its own: opens a journal in the folder given, appends without end, and prints each receipt once its append has
 * resolved. Exits with 3 and the message when the journal cannot be opened.
 */
const AT_ONCE = 32;

const run = async (path: string): Promise<void> => {
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  console.log('open');
  let n = 0;
  const append = async (): Promise<never> => {
    for (;;) {
      n += 1;
      const identity = sha256(`${process.pid} ${n}`);
      const { receipt } = await journal.append(sampleEvent({ identity, lane: sha256(`lane ${n % 7}`) }));
      // Straight to the pipe: what is printed was answered.
      process.stdout.write(`${receipt}\n`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, append));
};

run(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(3);
});

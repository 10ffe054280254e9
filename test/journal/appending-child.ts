import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';
import { append, sampleEvent, sha256 } from '../contract/samples.ts';

/*
 * Runs in a separate process: opens a journal in the given folder, appends events endlessly, and
 * prints each receipt once its append has resolved. Exits with code 3 and the error message if the
 * journal cannot be opened.
 */
const CONCURRENCY = 32;

async function run(path: string): Promise<void> {
  const journal = await openSqliteJournal({ path, encryptionKeys: [] });
  console.log('open');
  let n = 0;
  const appendForever = async (): Promise<never> => {
    for (;;) {
      n += 1;
      const identity = sha256(`${process.pid} ${n}`);
      const { receipt } = await append(journal, sampleEvent({ identity, lane: sha256(`lane ${n % 7}`) }));
      // Written directly to the pipe: whatever is printed was acknowledged.
      process.stdout.write(`${receipt}\n`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, appendForever));
}

run(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(3);
});

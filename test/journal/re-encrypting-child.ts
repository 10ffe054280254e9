import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';

/*
 * Runs in a separate process: opens the journal in the given folder with the keys of the
 * environment, re-encrypts it step by step, and prints a line for each step that changed something.
 * Exits when the whole store has been processed.
 */
const journal = await openSqliteJournal({
  path: process.argv[2] ?? '',
  encryptionKeys: (process.env['KEYS'] ?? '').split(' '),
});
console.log('open');
for (let step = await journal.reencrypt(); ; step = await journal.reencrypt(step.next)) {
  if (step.reencrypted > 0) process.stdout.write(`${step.reencrypted}\n`);
  if (step.next === undefined) break;
}
await journal.close();

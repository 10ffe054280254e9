import { openSqliteJournal } from '../../src/journal/sqlite/journal.ts';

/*
 * Run as a process of its own: opens the journal in the folder with the keys of the environment, seals it anew step by step and prints a line
 * for each step that sealed something. Ends when it is through.
 */
const journal = await openSqliteJournal({
  path: process.argv[2] ?? '',
  encryptionKeys: (process.env['KEYS'] ?? '').split(' '),
});
console.log('open');
for (let step = await journal.reseal(); ; step = await journal.reseal(step.next)) {
  if (step.sealed > 0) process.stdout.write(`${step.sealed}\n`);
  if (step.next === undefined) break;
}
await journal.close();

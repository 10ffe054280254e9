import { DAY } from '../contract/samples.ts';
import { openSqliteJournal } from '../../src/journal/sqlite/sqlite-journal.ts';

/*
 * Runs in a separate process: opens the journal in the given folder with the keys of the
 * environment, re-encrypts it, and prints a line for each step. Exits when the whole store has
 * been processed.
 */
const journal = await openSqliteJournal({
  path: process.argv[2] ?? '',
  encryptionKeys: (process.env['KEYS'] ?? '').split(' '),
});
console.log('open');
await new Promise<void>((resolve) => {
  journal.onMaintenance((report) => {
    if (report.kind === 'sealing') process.stdout.write(`${report.share}\n`);
    if (report.kind === 'sealed') resolve();
  });
  journal.maintain(() => ({
    retention: { delivered: DAY, ids: DAY, dead: DAY },
    maxBytes: 1e12,
    minFree: 0,
  }));
});
await journal.close();

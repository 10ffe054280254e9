import { type Command, Option } from 'commander';
import type { Salvage } from '../journal/sqlite/salvage.ts';
import type { SealCount } from '../journal/sqlite/seals.ts';
import type { Finding } from '../journal/sqlite/verify.ts';
import { CommandError, EXIT } from './command-error.ts';
import { configOption } from './config-option.ts';
import { formatTable } from './table.ts';

interface StoreOptions {
  readonly config: string;
  readonly path?: string;
  readonly json?: boolean;
}

const STOPPED = 'The relay must be stopped: its store is its alone while it runs.';

const HELP = `
${STOPPED}

Examples:
  $ capillary-relay store verify --config relay.yaml
  $ capillary-relay store backup --to /backup/relay-2026-01-31.db
  $ capillary-relay store salvage --to /var/lib/relay/salvaged`;

const VERIFY_HELP = `
${STOPPED} It reads the whole file: about a second for each 300 MB.
It also counts the payloads by the encryption key that closed them: a key that is not in the list any more can be dropped.
Exit code: 0 it is as it must be; 1 it is not, or it could not be looked at.

Examples:
  $ capillary-relay store verify --config relay.yaml
  $ capillary-relay store verify --path /var/lib/relay/data --json`;

const BACKUP_HELP = `
${STOPPED}
The file is one whole store, whose events are as clear or as encrypted as in the original. To go back to it, put it as relay.db
into an empty folder and name that folder in store.path. What was delivered after the backup is delivered again, under the same ids.

Example:
  $ capillary-relay store backup --config relay.yaml --to /backup/relay-2026-01-31.db`;

const SALVAGE_HELP = `
${STOPPED} The damaged file is not changed; the new folder needs room for it twice.
Then name the new folder in store.path. Exit code: 0 nothing was lost; 1 something was, and the report says what.

Example:
  $ capillary-relay store salvage --config relay.yaml --to /var/lib/relay/salvaged`;

/** The folder of the store, from --path or the configuration; encryption keys from the configuration only. */
async function storeOf({ path, config }: StoreOptions): Promise<{ path: string; keys?: readonly string[] }> {
  if (path !== undefined) return { path };
  const { loadConfig } = await import('../config/load.ts');
  const { store } = loadConfig(config, process.env).config;
  return { path: store.path, keys: store.encryptionKeys };
}

async function folderOf(options: StoreOptions): Promise<string> {
  return (await storeOf(options)).path;
}

/** Says what the store or the disk said in one line, without a stack. */
async function plainly<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CommandError || !(error instanceof Error) || error.name === 'ConfigError')
      throw error;
    throw new CommandError(error.message);
  }
}

function printFindings(findings: readonly Finding[]): void {
  const columns = [
    { heading: 'CHECK', cell: ({ check }: Finding) => check },
    { heading: 'FOUND', cell: ({ detail }: Finding) => detail },
  ];
  console.log(formatTable(findings, columns));
}

function keyWords({ key }: SealCount, keys: readonly string[] | undefined): string {
  if (key === 'none') return 'clear, not encrypted';
  if (keys === undefined) return 'give --config instead of --path to see which key that is';
  if (key === 'first') return 'the first of store.encryptionKeys';
  return key === 'older'
    ? 'an older one of store.encryptionKeys: still needed'
    : 'NOT in store.encryptionKeys: cannot be opened';
}

function printSeals(seals: readonly SealCount[], keys: readonly string[] | undefined): void {
  if (seals.length === 0) return;
  const table = formatTable(seals, [
    { heading: 'PAYLOADS', cell: ({ payloads }) => payloads },
    { heading: 'KEY ID', cell: ({ keyId }) => keyId ?? '-' },
    { heading: 'KEY', cell: (one) => keyWords(one, keys) },
  ]);
  console.log(`\n${table}`);
}

function runVerify(options: StoreOptions): Promise<void> {
  return plainly(async () => {
    const { verifyStore } = await import('../journal/sqlite/verify.ts');
    const { readSeals } = await import('../journal/sqlite/seals.ts');
    const { path, keys } = await storeOf(options);
    const findings = verifyStore(path);
    const ok = findings.length === 0;
    const isReadable = findings.every(({ check }) => check !== 'integrity' && check !== 'format');
    const seals = isReadable ? readSeals(path, keys ?? []) : [];
    if (options.json === true) console.log(JSON.stringify({ ok, path, findings, seals }, undefined, 2));
    else if (ok) {
      console.log(`OK: the store in ${path} is sound: file, ledger, order and payloads`);
      printSeals(seals, keys);
    } else {
      printFindings(findings);
      console.log(
        `\nTHE STORE IN ${path} IS NOT SOUND. Copy what can be read: capillary-relay store salvage --to FOLDER`,
      );
    }
    if (!ok) process.exitCode = EXIT.failed;
  });
}

function runBackup(options: StoreOptions & { readonly to: string }): Promise<void> {
  return plainly(async () => {
    const { backupStore } = await import('../journal/sqlite/backup.ts');
    const path = await folderOf(options);
    const { bytes } = backupStore(path, options.to);
    if (options.json === true) console.log(JSON.stringify({ path, file: options.to, bytes }, undefined, 2));
    else console.log(`${options.to} holds the store of ${path}: ${bytes} bytes`);
  });
}

function list(receipts: readonly string[], heading: string): string {
  return receipts.length === 0
    ? ''
    : `\n\n${heading}: ${receipts.length}\n${receipts.map((one) => `  ${one}`).join('\n')}`;
}

function printSalvage(runSalvage: Salvage, to: string): void {
  const table = formatTable(runSalvage.tables, [
    { heading: 'TABLE', cell: ({ table: name }) => name },
    { heading: 'COPIED', cell: ({ copied }) => copied },
    { heading: 'UNREADABLE', cell: ({ unreadable }) => unreadable },
  ]);
  const { before, after } = runSalvage.accepted;
  console.log(`${table}\n\naccepted: ${before ?? 'unknown'} before, ${after} after`);
  console.log(
    `the new store is in ${to}: name it in store.path` +
      list(runSalvage.bodiless, 'Payload lost, now dead letters; have Capillary send them again') +
      list(runSalvage.lost, 'Events lost, of which only the receipt is known'),
  );
}

function isWhole({ tables, lost, bodiless }: Salvage): boolean {
  return lost.length === 0 && bodiless.length === 0 && tables.every(({ unreadable }) => unreadable === 0);
}

function salvage(options: StoreOptions & { readonly to: string }): Promise<void> {
  return plainly(async () => {
    const { salvageStore } = await import('../journal/sqlite/salvage.ts');
    const path = await folderOf(options);
    const report = salvageStore(path, options.to);
    const ok = isWhole(report);
    if (options.json === true)
      console.log(JSON.stringify({ ok, path, to: options.to, ...report }, undefined, 2));
    else printSalvage(report, options.to);
    if (!ok) process.exitCode = EXIT.failed;
  });
}

function withStoreOptions(command: Command): Command {
  return command
    .addOption(configOption())
    .addOption(new Option('--path <folder>', 'folder of the store, instead of store.path of a configuration'))
    .option('--json', 'print the outcome as JSON');
}

export function registerStore(program: Command): void {
  const group = program
    .command('store')
    .description('the file of a stopped relay: verify, backup, salvage')
    .addHelpText('after', HELP);
  withStoreOptions(group.command('verify'))
    .description('look through it: the file itself, the ledger against a recount, order and payloads')
    .addHelpText('after', VERIFY_HELP)
    .action(runVerify);
  withStoreOptions(group.command('backup'))
    .description('copy it whole into one new file')
    .requiredOption('--to <file>', 'the file to make')
    .addHelpText('after', BACKUP_HELP)
    .action(runBackup);
  withStoreOptions(group.command('salvage'))
    .description('copy all that can be read of a damaged one into a new store')
    .requiredOption('--to <folder>', 'an empty or new folder')
    .addHelpText('after', SALVAGE_HELP)
    .action(salvage);
}

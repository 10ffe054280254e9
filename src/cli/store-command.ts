import { type Command, Option } from 'commander';
import type { SalvageReport } from '../journal/sqlite/offline/salvage.ts';
import type { KeyUsage } from '../journal/sqlite/offline/key-usage.ts';
import type { Finding } from '../journal/sqlite/offline/verify.ts';
import { CommandError, EXIT } from './command-error.ts';
import { configOption, loadCommandConfig } from './command-config.ts';
import { shellWord } from './explain/relay-options.ts';
import { backupTo } from './store-backup.ts';
import { registerStoreCopy } from './store-copy-command.ts';
import { registerStoreMigrate } from './store-migrate-command.ts';
import { formatTable } from './table.ts';

interface StoreOptions {
  readonly config: string;
  readonly path?: string;
  readonly json?: boolean;
}

const STOPPED = 'The relay must be stopped: it locks its store while it runs.';

const HELP = `
verify, salvage and copy need a stopped relay, which locks its store while it runs. backup does not.
A store in PostgreSQL is verified, backed up and restored with the tools of the server.

Examples:
  $ capillary-relay store verify --config relay.yaml
  $ capillary-relay store backup --to /backup/relay-2026-01-31.db
  $ capillary-relay store salvage --to /var/lib/relay/salvaged`;

const VERIFY_HELP = `
${STOPPED} It reads the whole file, about 300 MB per second.
It also counts the payloads by encryption key: a key that is not listed can be removed from the configuration.
Each payload is checked: encrypted ones only with the keys of the configuration, so give --config as well as --path.
--path can also be the file that store backup wrote: it is read as it lies, and needs no stopped relay. With --config as
well, the keys are those of the configuration.
Exit code: 0 the store is sound; 1 it is damaged or could not be read.

Examples:
  $ capillary-relay store verify --config relay.yaml
  $ capillary-relay store verify --path /var/lib/relay/data --json
  $ capillary-relay store verify --path /backup/relay-2026-01-31.db`;

const BACKUP_HELP = `
A running relay sends the copy through its admin port, and goes on accepting and delivering: the command can run on another machine. It needs as much
free space beside its store, until the copy is sent. The store of a stopped relay is read from its folder.
The file contains the whole store; encrypted payloads stay encrypted. Check it with store verify --path FILE. To restore it, copy it as relay.db into an empty
folder and set store.path to that folder. What was delivered after the backup is delivered again, with the same ids.

Examples:
  $ capillary-relay store backup --config relay.yaml --to /backup/relay-2026-01-31.db
  $ capillary-relay store backup --url https://relay-admin.example.com --to relay-2026-01-31.db`;

const SALVAGE_HELP = `
${STOPPED} The damaged file is not changed. The new folder needs free space for twice its size.
Encrypted payloads are copied as they are; with the keys of the configuration, damaged ones are found and left out.
Afterwards set store.path to the new folder. Exit code: 0 the new store holds all that the old one accounts for;
1 it does not, and the report says what is missing.

Example:
  $ capillary-relay store salvage --config relay.yaml --to /var/lib/relay/salvaged`;

/** What to use for a store in PostgreSQL, whose server has its own tools. */
function instead(schema: string): string {
  return (
    'the store is a PostgreSQL database, which this command does not read. ' +
    'Check its files with pg_amcheck, and the ledger of the running relay with `capillary-relay ledger`; ' +
    `copy it with \`pg_dump --schema=${schema}\`; after damage, restore a backup or a point in time of the server`
  );
}

/**
 * The store, from --path or the configuration; keys only from the configuration.
 * @param isNamed whether --config was given, so that it counts beside --path too
 */
async function storeOf(
  { path, config }: StoreOptions,
  isNamed = false,
): Promise<{ path: string; keys?: readonly string[] }> {
  if (path !== undefined && !isNamed) return { path };
  const { store } = (await loadCommandConfig(config)).config;
  if (path === undefined && store.engine === 'postgres') throw new CommandError(instead(store.schema));
  return { path: path ?? store.path, keys: store.encryptionKeys };
}

async function folderOf(options: StoreOptions): Promise<string> {
  return (await storeOf(options)).path;
}

/** Turns an error of the store or the disk into one line without a stack trace. */
async function withPlainErrors<T>(work: () => T | Promise<T>): Promise<T> {
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
    { heading: 'PROBLEM', cell: ({ detail }: Finding) => detail },
  ];
  console.log(formatTable(findings, columns));
}

function describeKey({ key }: KeyUsage, keys: readonly string[] | undefined): string {
  if (key === 'none') return 'not encrypted';
  if (keys === undefined) return 'pass --config too to see which key this is';
  if (key === 'first') return 'the first in store.encryptionKeys';
  return key === 'older'
    ? 'an older one in store.encryptionKeys: still needed'
    : 'NOT in store.encryptionKeys: cannot be decrypted';
}

function printKeyUsage(usage: readonly KeyUsage[], keys: readonly string[] | undefined): void {
  if (usage.length === 0) return;
  const table = formatTable(usage, [
    { heading: 'PAYLOADS', cell: ({ payloads }) => payloads },
    { heading: 'KEY ID', cell: ({ keyId }) => keyId ?? '-' },
    { heading: 'KEY', cell: (keyUsage) => describeKey(keyUsage, keys) },
  ]);
  console.log(`\n${table}`);
}

function runVerify(options: StoreOptions, command: Command): Promise<void> {
  return withPlainErrors(async () => {
    const { readKeyUsage } = await import('../journal/sqlite/offline/key-usage.ts');
    const { storeNotes, verifyStore } = await import('../journal/sqlite/offline/verify.ts');
    const { path, keys } = await storeOf(options, command.getOptionValueSource('config') === 'cli');
    const findings = verifyStore(path, keys);
    const notes = storeNotes(path);
    const ok = findings.length === 0;
    const isReadable = findings.every(({ check }) => !['integrity', 'format', 'account'].includes(check));
    const keyUsage = isReadable ? readKeyUsage(path, keys ?? []) : [];
    if (options.json === true)
      console.log(JSON.stringify({ ok, path, findings, notes, seals: keyUsage }, undefined, 2));
    else if (ok) {
      console.log(`OK: the store in ${path} is sound: file, ledger, order and payloads`);
      for (const note of notes) console.log(note);
      printKeyUsage(keyUsage, keys);
    } else {
      printFindings(findings);
      // A store of another format is not damaged: its finding says how to go on.
      if (findings.some(({ check }) => check !== 'format'))
        console.log(
          `\nTHE STORE IN ${path} IS DAMAGED. Copy what is readable: capillary-relay store salvage --path ${shellWord(path)} --to FOLDER`,
        );
    }
    if (!ok) process.exitCode = EXIT.failed;
  });
}

interface BackupOptions extends StoreOptions {
  readonly to: string;
  readonly url?: string;
  readonly token?: string;
}

function runBackup(options: BackupOptions, command: Command): Promise<void> {
  return withPlainErrors(async () => {
    const { to: file, path: given, json } = options;
    // The default of the option is not a file that was named.
    const config = command.getOptionValueSource('config') === 'cli' ? options.config : undefined;
    const folder = options.url === undefined ? await folderOf(options) : undefined;
    const { path, bytes } = await backupTo(file, {
      ...options,
      config,
      folder,
      isStopped: given !== undefined,
    });
    const from = path === undefined ? 'the store of the running relay' : `the store in ${path}`;
    if (json === true) console.log(JSON.stringify({ path, file, bytes }, undefined, 2));
    else console.log(`copied ${from} to ${file}: ${bytes} bytes`);
  });
}

function formatReceipts(receipts: readonly string[], heading: string): string {
  return receipts.length === 0
    ? ''
    : `\n\n${heading}: ${receipts.length}\n${receipts.map((receipt) => `  ${receipt}`).join('\n')}`;
}

function printSalvage(report: SalvageReport, to: string): void {
  const table = formatTable(report.tables, [
    { heading: 'TABLE', cell: ({ table: name }) => name },
    { heading: 'COPIED', cell: ({ copied }) => copied },
    { heading: 'UNREADABLE', cell: ({ unreadable }) => unreadable },
  ]);
  const { before, after } = report.accepted;
  console.log(
    `${table}\n\naccepted: ${before ?? 'unknown'} before, ${after} after` +
      (report.fromLog > 0 ? ` (from the intake log: ${report.fromLog})` : ''),
  );
  console.log(
    `the new store is in ${to}: set store.path to it` +
      formatReceipts(
        report.bodiless,
        'Payload lost, moved to dead letters; ask Capillary to send them again',
      ) +
      formatReceipts(report.lost, 'Events lost; only the receipt is known'),
  );
  if (report.findings.length > 0) printFindings(report.findings);
  if (report.missing.length > 0)
    console.log(
      `\nTHE NEW STORE IS NOT COMPLETE. Missing:\n${report.missing.map((line) => `  ${line}`).join('\n')}`,
    );
}

function runSalvage(options: StoreOptions & { readonly to: string }, command: Command): Promise<void> {
  return withPlainErrors(async () => {
    const { salvageStore } = await import('../journal/sqlite/offline/salvage.ts');
    const { path, keys } = await storeOf(options, command.getOptionValueSource('config') === 'cli');
    const report = salvageStore(path, options.to, keys);
    const ok = report.missing.length === 0 && report.findings.length === 0;
    if (options.json === true)
      console.log(JSON.stringify({ ok, path, to: options.to, ...report }, undefined, 2));
    else printSalvage(report, options.to);
    if (!ok) process.exitCode = EXIT.failed;
  });
}

function withStoreOptions(command: Command): Command {
  return command
    .addOption(configOption())
    .addOption(
      new Option(
        '--path <path>',
        'folder of the store, or a file from store backup, instead of store.path in the configuration',
      ),
    )
    .option('--json', 'print the result as JSON');
}

export function registerStore(program: Command): void {
  const group = program
    .command('store')
    .description('maintenance of the store: verify, backup, salvage, migrate, copy')
    .addHelpText('after', HELP);
  withStoreOptions(group.command('verify'))
    .description('check the file, the ledger against a recount, the order and the payloads')
    .addHelpText('after', VERIFY_HELP)
    .action(runVerify);
  withStoreOptions(group.command('backup'))
    .description('copy the store to one new file, also while the relay runs')
    .requiredOption('--to <file>', 'file to create')
    .option('--url <url>', "URL of the running relay's admin port (default: that of the configuration)")
    .addOption(
      new Option('--token <token>', 'its bearer token, instead of the one in the configuration').env(
        'RELAY_ADMIN_TOKEN',
      ),
    )
    .addHelpText('after', BACKUP_HELP)
    .action(runBackup);
  withStoreOptions(group.command('salvage'))
    .description('copy everything readable from a damaged store into a new one')
    .requiredOption('--to <folder>', 'new or empty folder')
    .addHelpText('after', SALVAGE_HELP)
    .action(runSalvage);
  registerStoreMigrate(group);
  registerStoreCopy(group);
}

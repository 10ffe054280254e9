import { type Command, Option } from 'commander';
import type { CopyProgress } from '../journal/copy/copied-rows.ts';
import type { CopyPlace } from '../journal/copy/copy-places.ts';
import type { CopyReport } from '../journal/copy/store-copy.ts';
import { createLogger } from '../telemetry/log.ts';
import { configOption } from './command-config.ts';
import { CommandError, EXIT } from './command-error.ts';
import { placeOf } from './store-places.ts';
import { formatTable } from './table.ts';

interface CopyOptions {
  readonly config: string;
  readonly from?: string;
  readonly to?: string;
  readonly schema: string;
  readonly json?: boolean;
}

const HELP = `
From the folder of a stopped relay into a PostgreSQL database, or back. FROM and TO are a folder or a URL of a database; one
that is not given is the store of the configuration. In quotes, the URL can have placeholders such as \${file:/run/secrets/pg},
which keep the password out of the history of the shell and the list of processes.

No relay may run on either of them; the target must be empty. Everything is copied: events with their receipts and payloads,
the order of the queue, profiles, merged customers, dead letters with their history, the quarantine, replays, counts. Payloads
are copied as they are stored, so that the keys of the configuration are needed by the relay only.

The copy is made in steps. If it is stopped, the same command continues it. At the end it compares the ledger, the backlog and
the number of rows of both; no relay can start on the copy before. Afterwards set store.engine and store.url, or store.path,
and never start a relay on the old store again: both would deliver.

Exit code: 0 the copy is complete; 1 it failed or differs, and the text says what; 2 wrong usage.

Examples:
  $ capillary-relay store copy --from ./data --to 'postgres://relay:\${file:/run/secrets/pg}@db:5432/relay?sslmode=verify-full'
  $ capillary-relay store copy --from ./data --config relay.postgres.yaml
  $ capillary-relay store copy --config relay.postgres.yaml --to ./data`;

/** Time between two lines of progress. */
const PROGRESS_INTERVAL_MS = 2_000;

function progressLines(): (progress: CopyProgress) => void {
  let last = performance.now();
  return ({ step, events }) => {
    if (performance.now() - last < PROGRESS_INTERVAL_MS) return;
    last = performance.now();
    process.stderr.write(step === 'events' ? `events: ${events}\n` : `events: ${events}; ${step}\n`);
  };
}

function assertPair(from: CopyPlace, to: CopyPlace): void {
  if ('folder' in from && 'folder' in to)
    throw new CommandError('both are folders: copy one with store backup', EXIT.usage);
  if ('url' in from && 'url' in to)
    throw new CommandError('both are databases: copy one with pg_dump and pg_restore', EXIT.usage);
}

async function copyPlaces(from: CopyPlace, to: CopyPlace): Promise<CopyReport> {
  const { openCopySource, openCopyTarget } = await import('../journal/copy/copy-places.ts');
  const { copyStore } = await import('../journal/copy/store-copy.ts');
  const log = createLogger({ level: 'silent' });
  const source = await openCopySource(from);
  try {
    const target = await openCopyTarget(to, log);
    try {
      return await copyStore(source, target, progressLines());
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function nameOf(place: CopyPlace): string {
  return 'folder' in place ? place.folder : place.name;
}

async function runCopy(options: CopyOptions): Promise<void> {
  const from = await placeOf(options.from, options.schema, options.config);
  const to = await placeOf(options.to, options.schema, options.config);
  assertPair(from, to);
  const { account, events, continued } = await copyPlaces(from, to);
  const { ledger, backlog } = account;
  if (options.json === true) {
    const names = { from: nameOf(from), to: nameOf(to) };
    console.log(JSON.stringify({ ok: true, ...names, continued, events, ledger, backlog }, undefined, 2));
    return;
  }
  const table = formatTable(Object.entries(ledger), [
    { heading: 'SOURCE', cell: ([name]) => name },
    { heading: 'ACCEPTED', cell: ([, counts]) => counts.accepted },
    { heading: 'PENDING', cell: ([, counts]) => counts.pending },
    { heading: 'DELIVERED', cell: ([, counts]) => counts.delivered },
    { heading: 'IGNORED', cell: ([, counts]) => counts.ignored },
    { heading: 'DEAD', cell: ([, counts]) => counts.dead },
  ]);
  console.log(
    `${table}\n\ncopied ${nameOf(from)} to ${nameOf(to)}: ${events} events; ledger, backlog and rows are the same`,
  );
}

export function registerStoreCopy(group: Command): void {
  group
    .command('copy')
    .description('copy the store of a stopped relay into PostgreSQL, or back')
    .addOption(configOption())
    .option('--from <place>', 'folder or URL (default: the store of the configuration)')
    .option('--to <place>', 'new folder or URL (default: the store of the configuration)')
    .addOption(new Option('--schema <name>', 'schema of the database in a URL').default('relay'))
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(runCopy);
}

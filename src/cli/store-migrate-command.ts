import type { Command } from 'commander';
import { createLogger } from '../telemetry/log.ts';
import { configOption } from './command-config.ts';
import { CommandError } from './command-error.ts';
import { configuredPlace } from './store-places.ts';

interface MigrateOptions {
  readonly config: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const HELP = `
Creates the tables in the schema, or brings them to the format of this version. The first replica of a new version does that
by itself; with this command an administrator can do it before, as another user, or look at the SQL. Replicas of the version
before go on working with a schema that was migrated, unless the release notes say otherwise. The store of SQLite is migrated
when its relay starts.

Examples:
  $ capillary-relay store migrate --config relay.postgres.yaml --dry-run
  $ capillary-relay store migrate --config relay.postgres.yaml`;

async function runMigrate({ config, dryRun = false, json }: MigrateOptions): Promise<void> {
  const place = await configuredPlace(config);
  if ('folder' in place)
    throw new CommandError('store.engine is sqlite: the relay migrates its store when it starts');
  const { migrateStore } = await import('../journal/postgres/offline/store-migration.ts');
  const { format, newest, steps } = await migrateStore(place, {
    log: createLogger({ level: 'silent' }),
    isDryRun: dryRun,
  });
  if (json === true) {
    console.log(JSON.stringify({ schema: place.schema, format, newest, dryRun, steps }, undefined, 2));
    return;
  }
  if (steps.length === 0) {
    const what =
      format > newest ? `a newer one than ${newest} of this version, which can use it` : 'the newest';
    console.log(`${place.name} has format ${format}, ${what}: nothing to do`);
    return;
  }
  if (dryRun)
    for (const { name, sql } of steps)
      console.log(`-- ${name}\nBEGIN;\nSET LOCAL search_path = "${place.schema}";\n${sql.trim()}\nCOMMIT;\n`);
  const word = steps.length === 1 ? 'step' : 'steps';
  console.log(
    dryRun
      ? `-- ${place.name} has format ${format}: ${steps.length} ${word} to format ${newest}; nothing was changed`
      : `migrated ${place.name} from format ${format} to ${newest}: ${steps.map(({ name }) => name).join(', ')}`,
  );
}

export function registerStoreMigrate(group: Command): void {
  group
    .command('migrate')
    .description('bring the schema of a PostgreSQL store to the format of this version')
    .addOption(configOption())
    .option('--dry-run', 'only print the SQL')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(runMigrate);
}

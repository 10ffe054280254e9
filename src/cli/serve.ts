import closeWithGrace from 'close-with-grace';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import { createLogger } from '../telemetry/log.ts';
import { flushSpans } from '../telemetry/tracing.ts';
import { createRelay } from '../relay.ts';

/** ms a shutdown may take before the process ends anyway; Kubernetes gives 30 s. */
const SHUTDOWN = 9_500;
/** ms of them for the last spans, where the process is traced. */
const FLUSH = 1_000;

async function serve(file: string): Promise<void> {
  const loaded = loadConfig(file, process.env);
  const log = createLogger({ level: loaded.config.log.level });
  const relay = await createRelay({ loaded, log });
  const grace = closeWithGrace(
    { delay: SHUTDOWN, logger: { error: (message: string) => log.error(message) } },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'unexpected error; shutting down');
      else log.info({ signal }, 'shutting down');
      await relay.stop();
      await flushSpans(FLUSH);
      log.info('stopped');
    },
  );
  void relay.failed.then((err) => {
    // Answering 200 without a store would be a lie, so the process ends and its supervisor starts a new one.
    log.fatal({ err }, 'the store has died; ending');
    process.exit(1);
  });
  try {
    const urls = await relay.start();
    log.info(urls, 'ready');
  } catch (err) {
    log.fatal({ err }, 'could not start');
    grace.uninstall();
    await relay.stop();
    process.exitCode = 1;
  }
}

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run the relay: take webhooks, journal, map, deliver')
    .option('-c, --config <file>', 'configuration', process.env['RELAY_CONFIG'] ?? 'relay.yaml')
    .addHelpText('after', '\nExample:\n  $ capillary-relay serve --config /etc/relay/relay.yaml')
    .action(({ config }: { config: string }) => serve(config));
}

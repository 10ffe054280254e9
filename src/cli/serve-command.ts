import closeWithGrace from 'close-with-grace';
import type { Command } from 'commander';
import { createLogger } from '../telemetry/log.ts';
import { flushSpans } from '../telemetry/tracing.ts';
import { createRelay } from '../relay.ts';
import { configOption, loadCommandConfig } from './command-config.ts';

/** The process exits after this time even if the shutdown hangs; Kubernetes allows 30 s. */
const SHUTDOWN_TIMEOUT_MS = 9_500;
/** Part of that time for exporting the last spans, if the process is traced. */
const SPAN_FLUSH_TIMEOUT_MS = 1_000;

async function runServe(file: string): Promise<void> {
  const loaded = await loadCommandConfig(file);
  const log = createLogger({ level: loaded.config.log.level });
  const relay = await createRelay({ loaded, log });
  const grace = closeWithGrace(
    { delay: SHUTDOWN_TIMEOUT_MS, logger: { error: (message: string) => log.error(message) } },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'unexpected error; shutting down');
      else log.info({ signal }, 'shutting down');
      await relay.stop();
      await flushSpans(SPAN_FLUSH_TIMEOUT_MS);
      log.info('stopped');
    },
  );
  void relay.failed.then((err) => {
    // Without a journal no event can be acknowledged, so the process exits and its supervisor
    // restarts it.
    log.fatal({ err }, 'the journal has failed; exiting');
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
    .description('run the relay: accept, store, map and deliver events')
    .addOption(configOption())
    .addHelpText('after', '\nExample:\n  $ capillary-relay serve --config /etc/relay/relay.yaml')
    .action(({ config }: { config: string }) => runServe(config));
}

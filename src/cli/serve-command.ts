import { setFlagsFromString } from 'node:v8';
import closeWithGrace from 'close-with-grace';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { createLogger } from '../telemetry/log.ts';
import { flushSpans } from '../telemetry/tracing.ts';
import { createRelay, type Relay } from '../relay.ts';
import { configOption, loadCommandConfig } from './command-config.ts';
import { reportStartFailure } from './start-failure.ts';

/** The process exits after this time even if the shutdown hangs; Kubernetes allows 30 s. */
const SHUTDOWN_TIMEOUT_MS = 9_000;
/** Part of that time for exporting the last spans, if the process is traced. */
const SPAN_FLUSH_TIMEOUT_MS = 1_000;

const HELP = `
Standard output has the log, one JSON object per line. Standard error says in one line why the relay could not start.
SIGHUP reads the configuration again, as the command reload does.
Exit code: 0 stopped by SIGTERM or SIGINT; 1 could not start, or failed; 2 the configuration has problems.

Example:
  $ capillary-relay serve --config /etc/relay/relay.yaml`;

/**
 * By default V8 lets old objects grow to four times what is in use before it collects them: 320
 * instead of 220 MiB under load. Set here, because on the command line V8 would refuse byte code
 * that was made without it.
 */
const HEAP_FLAG = '--heap-growing-percent=60';

/** The parts that exist already: a signal can arrive while the relay is starting. */
interface Started {
  log?: Logger;
  relay?: Relay;
  isStopping: boolean;
}

/**
 * SIGHUP reads the configuration again. One that arrives before the relay is ready is served then,
 * because the file may have been read before it was changed.
 * @returns a function to call with the relay once it is ready
 */
function reloadOnHangup(): (relay: Relay) => void {
  let ready: Relay | undefined;
  let isWaiting = false;
  const reload = (): void => {
    isWaiting = ready === undefined;
    // What is refused is logged and counted by the relay.
    ready?.reload().catch(() => undefined);
  };
  process.on('SIGHUP', reload);
  return (relay) => {
    ready = relay;
    if (isWaiting) reload();
  };
}

function stopOnSignals(started: Started): void {
  closeWithGrace(
    {
      delay: SHUTDOWN_TIMEOUT_MS,
      logger: { error: (message: string) => started.log?.error(message) },
      skip: ['SIGHUP'],
    },
    async ({ signal, err }) => {
      started.isStopping = true;
      if (err) started.log?.fatal({ err }, 'unexpected error; shutting down');
      else started.log?.info({ signal }, 'shutting down');
      await started.relay?.stop();
      await flushSpans(SPAN_FLUSH_TIMEOUT_MS);
      started.log?.info('stopped');
    },
  );
}

async function start(file: string, started: Started): Promise<Relay> {
  const loaded = await loadCommandConfig(file);
  const log = createLogger({ level: loaded.config.log.level });
  started.log = log;
  for (const warning of loaded.warnings) log.warn(warning, 'the configuration is probably wrong');
  const relay = await createRelay({ loaded, log });
  started.relay = relay;
  void relay.failed.then((err) => {
    // Without a journal no event can be acknowledged, so the process exits and its supervisor
    // restarts it.
    log.fatal({ err }, 'the journal has failed; exiting');
    process.exit(1);
  });
  log.info(await relay.start(), 'ready');
  return relay;
}

async function runServe(file: string): Promise<void> {
  const started: Started = { isStopping: false };
  setFlagsFromString(HEAP_FLAG);
  const onReady = reloadOnHangup();
  stopOnSignals(started);
  try {
    onReady(await start(file, started));
  } catch (error) {
    // What a signal interrupts is no failure.
    if (started.isStopping) return;
    const code = reportStartFailure(error);
    await started.relay?.stop();
    process.exit(code);
  }
}

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('run the relay: accept, store, map and deliver events')
    .addOption(configOption())
    .addHelpText('after', HELP)
    .action(({ config }: { config: string }) => runServe(config));
}

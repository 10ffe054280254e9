import { randomInt } from 'node:crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CATALOGUE } from '../capillary/catalogue.ts';
import type { Config, SourceConfig } from '../config/config-schema.ts';
import { generateEvents } from '../simulator/capillary/capillary-events.ts';
import type { SendReport } from '../simulator/capillary/send-report.ts';
import { type SendAnswer, sendEvents } from '../simulator/capillary/webhook-sender.ts';
import { signRequest } from '../simulator/capillary/request-signature.ts';
import { CommandError, EXIT } from './command-error.ts';
import { configOption, findConfig, loadCommandConfig } from './command-config.ts';
import { assertHarmless, assertHarmlessTwin } from './harmless-target.ts';
import { chooseSource } from './route.ts';
import { formatCounts, sendFromTwin } from './send-twin.ts';
import { suggestValues } from './completion/suggested-values.ts';
import { durationBetween } from './duration-option.ts';
import { formatDuration } from './time-format.ts';
import { numberBetween, integerBetween } from './command-options.ts';

interface SendOptions {
  readonly config: string;
  readonly source?: string;
  readonly url?: string;
  readonly twin?: string;
  readonly events: readonly string[] | undefined;
  readonly rate?: number;
  readonly count: number;
  readonly duplicates: number;
  readonly disorder: number;
  readonly awkward: number;
  readonly customers: number;
  readonly concurrency: number;
  readonly patience: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly yes?: boolean;
}

const HELP = `
The events are invented, but the relay delivers them like real ones: with a destination that is not on this machine, such
as Adobe itself, --yes is required, and with a relay on another machine too, which may have any destination.

Behaves as Capillary does by its own log: it retries an event after 429, 5xx or a timeout, honouring Retry-After, for
about five minutes (--patience), and gives up after any other 4xx.

With --twin, the simulated Capillary at that URL changes its customers, bills and points, and posts the events of these
changes to the webhooks that are configured in it: see register.

Exit code: 0 every event was accepted; 1 some were given up; 2 wrong usage or configuration.

Examples:
  $ capillary-relay send --config examples/local.yaml --events pointsIssued,transactionAdded --duplicates 0.1 --disorder 0.1
  $ capillary-relay send --config relay.yaml --source acme --count 1 --yes
  $ capillary-relay send --twin http://127.0.0.1:9090 --count 200 --rate 20`;

function webhookUrl({ server }: Config, source: SourceConfig): string {
  if (server.port === 0)
    throw new CommandError('server.port is 0, so the port is unknown: pass --url', EXIT.usage);
  const isAny = server.host === '0.0.0.0' || server.host === '::';
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  const url = `http://${isAny ? '127.0.0.1' : host}:${server.port}/webhooks/${source.name}`;
  if (URL.canParse(url)) return url;
  const shown = JSON.stringify(server.host);
  throw new CommandError(`server.host is ${shown}, which cannot be part of a URL: pass --url`, EXIT.usage);
}

function warnAboutUnknownNames(names: readonly string[] | undefined): void {
  for (const name of names?.filter((candidate) => !CATALOGUE.has(candidate)) ?? []) {
    console.error(`note: Capillary documents no such event name: ${name}; it is sent anyway`);
  }
}

const CLEAR_LINE = '\r\u001B[K';
const PROGRESS_INTERVAL_MS = 100;

/**
 * Shows the progress in one line that is overwritten, if standard error is a terminal, and in any
 * case the first request that is repeated: that can take minutes.
 * @param total approximate number of deliveries
 */
function createProgress(total: number, url: string, patienceMs: number) {
  let isNoted = false;
  let settled = 0;
  let requests = 0;
  let shownAt = 0;
  return {
    update: ({ retryInMs, status, detail, failure }: SendAnswer): void => {
      requests += 1;
      if (retryInMs !== undefined && !isNoted) {
        isNoted = true;
        if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
        const what =
          failure === undefined ? `${url} answered ${status}` : `no answer from ${url} (${failure})`;
        console.error(`${what}, retrying for up to ${formatDuration(patienceMs)}`);
      }
      if (retryInMs === undefined) settled += 1;
      if (!process.stderr.isTTY || Date.now() - shownAt < PROGRESS_INTERVAL_MS) return;
      shownAt = Date.now();
      const retry =
        retryInMs === undefined ? '' : `, ${status ?? detail}: retry in ${formatDuration(retryInMs)}`;
      process.stderr.write(`${CLEAR_LINE}${settled} of about ${total} settled, ${requests} requests${retry}`);
    },
    clear: (): void => {
      if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
    },
  };
}

function formatReport(report: SendReport, seed: number): string {
  return [
    `sent       ${report.sent} (duplicates: ${report.resent}, reordered: ${report.late})`,
    `accepted   ${report.accepted}`,
    `duplicate  ${report.duplicate}`,
    `refused    ${formatCounts(report.refused)}`,
    `given up   ${report.givenUp}`,
    `requests   ${report.attempts} (retries after ${formatCounts(report.retries)})`,
    ...(report.p50Ms === undefined ? [] : [`p50, p95   ${report.p50Ms} ms, ${report.p95Ms} ms`]),
    `duration   ${formatDuration(report.durationMs)}`,
    `seed       ${seed}`,
  ].join('\n');
}

/** Options of the requests, which the twin makes itself. */
const REQUEST_OPTIONS = ['source', 'url', 'duplicates', 'disorder', 'concurrency', 'patience'];

/** The awkward share of a twin has another default, and the configuration is not required. */
async function runTwin(
  options: SendOptions,
  twin: string,
  isGiven: (name: string) => boolean,
): Promise<void> {
  const excess = REQUEST_OPTIONS.filter(isGiven).map((name) => `--${name}`);
  if (excess.length > 0)
    throw new CommandError(
      `with --twin there is no ${excess.join(', ')}: the twin delivers by the webhooks that are configured in it`,
      EXIT.usage,
    );
  const file = findConfig(isGiven('config') ? options.config : undefined);
  if (options.yes !== true) {
    const loaded = file === undefined ? undefined : await loadCommandConfig(file);
    assertHarmlessTwin(loaded?.config, twin);
  }
  warnAboutUnknownNames(options.events);
  const { count, rate, events: names, customers, seed, json = false } = options;
  const awkward = isGiven('awkward') ? options.awkward : undefined;
  await sendFromTwin({ twin, json, count, rate, names, customers, seed, awkward });
}

async function runSend(options: SendOptions, command: Command): Promise<void> {
  if (options.twin !== undefined) {
    const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
    return runTwin(options, options.twin, isGiven);
  }
  const { config } = await loadCommandConfig(options.config);
  const source = chooseSource(config, options.source);
  const url = options.url ?? webhookUrl(config, source);
  if (options.yes !== true) assertHarmless(config, source, url);
  const [verifier] = source.verify;
  const { events: names, count, customers, awkward, duplicates, disorder, concurrency, rate } = options;
  // The seed determines the event ids. With a fixed one, a second run would only send duplicates.
  const seed = options.seed ?? randomInt(2 ** 32);
  const orgId = source.orgIds?.[0];
  warnAboutUnknownNames(names);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const progress = createProgress(Math.round(count * (1 + duplicates)), url, options.patience);
  const report = await sendEvents({
    url,
    events: generateEvents({ count, customers, names, seed, orgId, awkward }),
    count,
    rate,
    duplicates,
    disorder,
    concurrency,
    seed,
    patienceMs: options.patience,
    sign: (body, now) => (verifier ? signRequest(verifier, body, now) : {}),
    onAnswer: progress.update,
    signal: stop.signal,
  });
  progress.clear();
  console.log(options.json ? JSON.stringify({ ...report, seed }) : formatReport(report, seed));
  if (report.givenUp > 0 || stop.signal.aborted) process.exitCode = EXIT.failed;
}

function parseNames(text: string): string[] | undefined {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('It must be all, or names separated by commas.');
  return names.includes('all') ? undefined : names;
}

function parseUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/i.test(text)) return text;
  throw new InvalidArgumentError('It must be an http(s) URL such as http://127.0.0.1:8080/webhooks/acme.');
}

export function registerSend(program: Command): void {
  const parseShare = numberBetween(0, 1);
  program
    .command('send')
    .description('simulate Capillary: send documented events, signed, to a relay')
    .addOption(configOption())
    .option('--source <name>', 'source to send as; its first verifier determines the signature')
    .option(
      '--url <url>',
      'webhook URL (default: that of the source, on the configured port of this machine)',
      parseUrl,
    )
    .option(
      '--twin <url>',
      'let this twin (simulate) raise the events from its world and deliver them by its webhooks',
      parseUrl,
    )
    .addOption(
      suggestValues(
        new Option('--events <names>', 'event names separated by commas, or all').argParser(parseNames),
        { load: () => ['all', ...CATALOGUE.keys()], isList: true },
      ),
    )
    .option('--count <number>', 'number of events', integerBetween(1, 100_000_000), 100)
    .option(
      '--rate <number>',
      'events per second (default: as fast as they are answered)',
      numberBetween(0.01, 100_000),
    )
    .option('--duplicates <share>', 'share of events to send twice', parseShare, 0)
    .option(
      '--disorder <share>',
      'share of events to send after later ones of the same customer',
      parseShare,
      0,
    )
    .option('--awkward <share>', 'share of events in an unusual format', parseShare, 0.2)
    .option('--customers <number>', 'number of different customers', integerBetween(1, 1_000_000), 50)
    .option('--concurrency <number>', 'maximum number of concurrent requests', integerBetween(1, 1_000), 10)
    .addOption(
      new Option('--patience <duration>', 'how long to retry an event before giving it up')
        .argParser(durationBetween({ min: '1s' }))
        .default(300_000, '5m'),
    )
    .option(
      '--seed <number>',
      'random seed; the same seed sends the same event ids (default: random)',
      integerBetween(0, 2 ** 32),
    )
    .option('-y, --yes', 'send even if the relay or its destination, such as Adobe, is not on this machine')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(runSend);
}

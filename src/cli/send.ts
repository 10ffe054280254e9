import { randomInt } from 'node:crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { CATALOGUE } from '../capillary/catalogue.ts';
import { loadConfig } from '../config/load.ts';
import type { Config, SourceConfig } from '../config/schema.ts';
import { duration } from '../config/units.ts';
import { generateEvents } from '../simulator/capillary-events.ts';
import type { SendReport } from '../simulator/send-report.ts';
import { sendEvents } from '../simulator/sender.ts';
import { signRequest } from '../simulator/sign.ts';
import { CommandError, EXIT } from './command-error.ts';
import { configOption } from './config-option.ts';
import { formatSpan } from './moment.ts';
import { numberFrom, wholeNumberFrom } from './number-option.ts';
import { createSendProgress } from './send-progress.ts';

interface Options {
  readonly config: string;
  readonly source?: string;
  readonly url?: string;
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
}

const HELP = `
Behaves as Capillary does: sends an event again after 429, 5xx or silence, waiting as told, and gives it up after any other 4xx.

Exit code: 0 every event was taken; 1 some were given up; 2 wrong usage or configuration.

Examples:
  $ capillary-relay send --config relay.yaml --source acme --count 1000 --rate 50
  $ capillary-relay send --events pointsIssued,transactionAdded --duplicates 0.1 --disorder 0.1`;

function choose(config: Config, name: string | undefined): SourceConfig {
  const names = config.sources.map((source) => source.name).join(', ');
  if (name === undefined && config.sources.length > 1) {
    throw new CommandError(`there are several sources; choose one with --source: ${names}`, EXIT.usage);
  }
  const source = config.sources.find((one) => name === undefined || one.name === name);
  if (source === undefined)
    throw new CommandError(`there is no source ${name}; there is: ${names}`, EXIT.usage);
  return source;
}

function webhookUrl({ server }: Config, source: SourceConfig): string {
  if (server.port === 0) throw new CommandError('server.port is 0: name the webhook with --url', EXIT.usage);
  const isAny = server.host === '0.0.0.0' || server.host === '::';
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return `http://${isAny ? '127.0.0.1' : host}:${server.port}/webhooks/${source.name}`;
}

function noteUnknown(names: readonly string[] | undefined): void {
  for (const name of names?.filter((one) => !CATALOGUE.has(one)) ?? []) {
    console.error(`note: ${name} is no event name that Capillary has published; it is sent all the same`);
  }
}

function counts(byCause: Readonly<Record<string, number>>): string {
  return (
    Object.entries(byCause)
      .map(([cause, count]) => `${cause}: ${count}`)
      .join(', ') || '0'
  );
}

function format(report: SendReport, seed: number): string {
  return [
    `sent       ${report.sent} (sent before: ${report.resent}, late on purpose: ${report.late})`,
    `accepted   ${report.accepted}`,
    `duplicate  ${report.duplicate}`,
    `refused    ${counts(report.refused)}`,
    `given up   ${report.givenUp}`,
    `requests   ${report.attempts} (again after ${counts(report.retries)})`,
    `p50, p95   ${report.p50Ms ?? '-'} ms, ${report.p95Ms ?? '-'} ms`,
    `took       ${formatSpan(report.durationMs)}`,
    `seed       ${seed}`,
  ].join('\n');
}

async function send(options: Options): Promise<void> {
  const { config } = loadConfig(options.config, process.env);
  const source = choose(config, options.source);
  const [verifier] = source.verify;
  const { events: names, count, customers, awkward, duplicates, disorder, concurrency, rate } = options;
  // Event ids come from the seed, so a fixed one would make the second run nothing but duplicates.
  const seed = options.seed ?? randomInt(2 ** 32);
  const orgId = source.orgIds?.[0];
  noteUnknown(names);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const progress = createSendProgress(Math.round(count * (1 + duplicates)));
  const report = await sendEvents({
    url: options.url ?? webhookUrl(config, source),
    events: generateEvents({ count, customers, names, seed, orgId, awkward }),
    count,
    rate,
    duplicates,
    disorder,
    concurrency,
    seed,
    patienceMs: options.patience,
    sign: (body, now) => (verifier ? signRequest(verifier, body, now) : {}),
    onAnswer: (answer) => progress.note(answer),
    signal: stop.signal,
  });
  progress.clear();
  console.log(options.json ? JSON.stringify({ ...report, seed }) : format(report, seed));
  if (report.givenUp > 0 || stop.signal.aborted) process.exitCode = EXIT.failed;
}

function readNames(text: string): string[] | undefined {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0)
    throw new InvalidArgumentError('It must be all, or names with commas between them.');
  return names.includes('all') ? undefined : names;
}

function readPatience(text: string): number {
  const read = duration({ min: '1s' }).safeParse(text);
  if (read.success) return read.data;
  throw new InvalidArgumentError(`It ${read.error.issues[0]?.message ?? 'is no duration'}.`);
}

function readUrl(text: string): string {
  if (URL.canParse(text) && /^https?:/i.test(text)) return text;
  throw new InvalidArgumentError('It must be an http(s) URL such as http://127.0.0.1:8080/webhooks/acme.');
}

const share = numberFrom(0, 1);

export function registerSend(program: Command): void {
  program
    .command('send')
    .description('be a Capillary: send documented events, signed, to a relay')
    .addOption(configOption())
    .option('--source <name>', 'source to send as; its first verifier says how to sign')
    .option(
      '--url <url>',
      "webhook to send to (default: the source's, on the configured port of this machine)",
      readUrl,
    )
    .option('--events <names>', 'event names with commas between them, or all', readNames)
    .option('--count <number>', 'events to send', wholeNumberFrom(1, 100_000_000), 100)
    .option(
      '--rate <number>',
      'events a second (default: as fast as they are answered)',
      numberFrom(0.01, 100_000),
    )
    .option('--duplicates <share>', 'share of events sent a second time', share, 0)
    .option('--disorder <share>', 'share of events overtaken by later ones of the same customer', share, 0)
    .option('--awkward <share>', 'share of events in an unusual form', share, 0.2)
    .option('--customers <number>', 'different customers', wholeNumberFrom(1, 1_000_000), 50)
    .option('--concurrency <number>', 'calls at once', wholeNumberFrom(1, 1_000), 10)
    .option(
      '--patience <duration>',
      'how long an event is tried before it is given up',
      readPatience,
      300_000,
    )
    .option(
      '--seed <number>',
      'the same seed sends events of the same ids (default: another each time)',
      wholeNumberFrom(0, 2 ** 32),
    )
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', HELP)
    .action(send);
}

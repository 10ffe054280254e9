import { setTimeout as sleep } from 'node:timers/promises';
import type { EventAnswer, ProblemAnswer, ReplayAnswer, ReplayWarningAnswer } from './admin-answers.ts';
import {
  type AdminClient,
  adminClient,
  type AdminOptions,
  AnswerError,
  printJson,
  UnreachableError,
} from './admin-client.ts';
import { confirm, formatDryRun, formatProblems, isInteractive, type Selection } from './bulk-action.ts';
import { CommandError, EXIT } from './command-error.ts';
import { EVENT_COLUMNS } from './listed-event-columns.ts';
import { formatFitting } from './fitting-table.ts';

/* A replay of settled events: asks first, starts it, and shows how far it is until it has ended. */

const PATH = '/events/replay';
const POLL_INTERVAL_MS = 1_000;
/** A relay that does not answer for so long is given up; the replay continues with it. */
const MAX_SILENCE_MS = 120_000;

/** The body of the request. */
type ReplayRequest = Selection & { readonly states?: readonly string[] };

interface DryRunAnswer {
  readonly matched: number;
  readonly dryRun: true;
  readonly eligible: number;
  readonly sample: readonly EventAnswer[];
  readonly problems?: readonly ProblemAnswer[];
  readonly warnings?: readonly ReplayWarningAnswer[];
}

interface StartedAnswer {
  readonly matched: number;
  readonly replayed: number;
  readonly done: boolean;
  /** Id of the replay; absent if nothing matched. */
  readonly replay?: number;
  readonly problems?: readonly ProblemAnswer[];
}

interface Settings extends AdminOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const WORDS = {
  doneCount: 'replayed',
  formatSample: (sample: readonly EventAnswer[]) => formatFitting(sample, EVENT_COLUMNS),
};

function formatPreview({ matched, eligible, sample, problems, warnings = [] }: DryRunAnswer): string {
  const details = { eligible, sample, problems };
  const notes = warnings.map(({ events, detail }) => `\nNote (${formatCount(events)}): ${detail}`);
  return [formatDryRun(WORDS, { counts: { matched }, details }), ...notes].join('\n');
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

async function preview(client: AdminClient, request: ReplayRequest): Promise<DryRunAnswer> {
  return client.post<DryRunAnswer>(PATH, { ...request, dryRun: true });
}

/** Receipts that were given one by one need no confirmation. */
async function assertConfirmed(client: AdminClient, request: ReplayRequest): Promise<void> {
  const answer = await preview(client, request);
  if (answer.eligible === 0) return;
  console.error(formatPreview(answer));
  const events = `${formatCount(answer.eligible)} ${answer.eligible === 1 ? 'event' : 'events'}`;
  if (!(await confirm(`Replay ${events}?`))) throw new CommandError('nothing was done', EXIT.failed);
}

async function start(client: AdminClient, request: ReplayRequest): Promise<StartedAnswer> {
  try {
    return await client.post<StartedAnswer>(PATH, request);
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    throw new CommandError(`${error.message} If the request arrived, the replay runs: see events replays.`);
  }
}

/** No answer, or one of a relay that is starting, stopping or cannot use its store. */
function isTemporary(error: unknown): error is CommandError {
  return error instanceof UnreachableError || (error instanceof AnswerError && error.status >= 500);
}

/** Asks until the replay has ended. A relay that restarts meanwhile continues it. */
async function follow(
  client: AdminClient,
  started: StartedAnswer & { readonly replay: number },
): Promise<StartedAnswer> {
  const { matched, replay } = started;
  console.error(`replay ${replay} is running; Ctrl-C leaves it running (see events replays)`);
  let replayed = -1;
  let silentSince: number | undefined;
  for (;;) {
    try {
      const job = await client.get<ReplayAnswer>(`/replays/${replay}`);
      silentSince = undefined;
      if (job.done) return { ...started, replayed: job.replayed, done: true };
      if (job.replayed !== replayed) console.error(`${formatCount(job.replayed)} of ${formatCount(matched)}`);
      ({ replayed } = job);
    } catch (error) {
      if (!isTemporary(error)) throw error;
      if (silentSince === undefined)
        console.error(`${error.message} Waiting for it; the replay continues with it.`);
      silentSince ??= Date.now();
      if (Date.now() - silentSince > MAX_SILENCE_MS) throw error;
    }
    await sleep(POLL_INTERVAL_MS);
  }
}

async function untilDone(client: AdminClient, answer: StartedAnswer): Promise<StartedAnswer> {
  const { done, replay } = answer;
  return done || replay === undefined ? answer : follow(client, { ...answer, replay });
}

function formatDone({ matched, replayed, problems = [] }: StartedAnswer): string {
  const others = matched - replayed;
  const counts = `matched ${matched}, replayed ${replayed}`;
  if (problems.length > 0 || others <= 0) return `${counts}${formatProblems(problems, others)}`;
  return `${counts}; the payload of the others is gone`;
}

/** True when every match is pending again, and every given receipt matched. */
function isComplete({ matched, replayed }: StartedAnswer, request: ReplayRequest): boolean {
  const given = 'receipts' in request ? new Set(request.receipts).size : 0;
  return replayed >= matched && matched >= given;
}

/**
 * Replays settled events, or shows what a replay would do.
 * @throws CommandError without --yes if it would have to ask and there is no terminal
 */
export async function runBulkReplay(settings: Settings, request: ReplayRequest): Promise<void> {
  const { dryRun = false, yes = false, json = false } = settings;
  const needsConsent = !dryRun && !yes && 'filter' in request;
  if (needsConsent && !isInteractive())
    throw new CommandError(
      'without a terminal to ask on, a replay by filter needs --yes, because what is sent again cannot be taken back; --dry-run shows what it would do',
      EXIT.usage,
    );
  const client = await adminClient(settings);
  if (dryRun) {
    const answer = await preview(client, request);
    if (json) printJson(answer);
    else console.log(formatPreview(answer));
    return;
  }
  if (needsConsent) await assertConfirmed(client, request);
  const answer = await untilDone(client, await start(client, request));
  if (json) printJson(answer);
  else console.log(formatDone(answer));
  if (!isComplete(answer, request)) process.exitCode = EXIT.failed;
}

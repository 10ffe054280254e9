import { setTimeout as sleep } from 'node:timers/promises';
import { failureOf } from '../http/failure.ts';
import type { RaiseOptions, RunProgress } from '../simulator/capillary/api/event-run.ts';
import { CommandError, EXIT } from './command-error.ts';
import { formatDuration } from './time-format.ts';

export interface TwinSendOptions extends RaiseOptions {
  /** Base URL of the twin. */
  readonly twin: string;
  readonly json: boolean;
}

const POLL_MS = 100;
const TIMEOUT_MS = 30_000;
const CLEAR_LINE = '\r\u001B[K';

/** `404: 2, 503: 1`, or `0`. */
export function formatCounts(byCause: Readonly<Record<string, number>>): string {
  return (
    Object.entries(byCause)
      .map(([cause, count]) => `${cause}: ${count}`)
      .join(', ') || '0'
  );
}

interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws CommandError if nobody answers */
async function request(url: URL, method: 'GET' | 'POST' | 'DELETE', body?: unknown): Promise<ControlAnswer> {
  try {
    const answer = await fetch(url, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.status, body: parsed(await answer.text()) };
  } catch (error) {
    const { detail } = failureOf(error instanceof TypeError ? (error.cause ?? error) : error);
    throw new CommandError(
      `no twin answers at ${url.origin}: ${detail}. Start one with \`capillary-relay simulate\``,
    );
  }
}

function issuesOf(body: unknown): string | undefined {
  const issues = (body as { issues?: unknown } | undefined)?.issues;
  return Array.isArray(issues) ? issues.join('; ') : undefined;
}

/** @throws CommandError if the answer is not the progress of a run */
function progressOf(url: URL, { status, body }: ControlAnswer): RunProgress {
  if (status === 200 || status === 202) {
    if (typeof (body as RunProgress | undefined)?.isDone === 'boolean') return body as RunProgress;
    throw new CommandError(`${url.origin} is not a twin of Capillary: its answer is another one`, EXIT.usage);
  }
  const issues = issuesOf(body);
  if (issues !== undefined) throw new CommandError(issues, status === 400 ? EXIT.usage : EXIT.failed);
  throw new CommandError(`${url.origin} answered ${status}: it is not a twin of Capillary`, EXIT.usage);
}

function showProgress({ raised, count, accepted, givenUp, attempts }: RunProgress): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(
    `${CLEAR_LINE}${raised} of ${count} raised, ${accepted + givenUp} settled, ${attempts} requests`,
  );
}

function formatRun(run: RunProgress, durationMs: number): string {
  return [
    `raised     ${run.raised}${run.unlisted > 0 ? ` (listed by no webhook: ${run.unlisted})` : ''}`,
    `accepted   ${run.accepted}`,
    `refused    ${formatCounts(run.refused)}`,
    `given up   ${run.givenUp}`,
    `requests   ${run.attempts}`,
    ...(run.p50Ms === undefined ? [] : [`p50, p95   ${run.p50Ms} ms, ${run.p95Ms} ms`]),
    `duration   ${formatDuration(durationMs)}`,
    `seed       ${run.seed}`,
  ].join('\n');
}

/**
 * Lets a twin raise events from its world, and waits until each is delivered or given up. An
 * interrupt ends the run.
 *
 * @throws CommandError if there is no twin, or it has no active webhook
 */
export async function sendFromTwin({ twin, json, ...raise }: TwinSendOptions): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const events = new URL('/_sim/capillary/events', twin);
  const startedAt = performance.now();
  const started = progressOf(events, await request(events, 'POST', raise));
  const run = new URL(`${events.pathname}/${started.id}`, events);
  let progress = started;
  while (!progress.isDone && !stop.signal.aborted) {
    await sleep(POLL_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    const method = stop.signal.aborted ? 'DELETE' : 'GET';
    progress = progressOf(run, await request(run, method));
    showProgress(progress);
  }
  if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE);
  const durationMs = Math.round(performance.now() - startedAt);
  console.log(json ? JSON.stringify({ ...progress, durationMs }) : formatRun(progress, durationMs));
  if (progress.error !== undefined) throw new CommandError(progress.error);
  if (progress.givenUp > 0 || stop.signal.aborted) process.exitCode = EXIT.failed;
}

import type { Command } from 'commander';
import { shortId } from '../capillary/event-id.ts';
import {
  type AdminClient,
  adminClient,
  type AdminOptions,
  NotFoundError,
  printJson,
  withAdminOptions,
} from './admin-client.ts';
import type { DestinationAnswer, QuarantinedRequestAnswer, RecordAnswer } from './admin-answers.ts';
import { formatEventReport } from './explain/event-report.ts';
import { fetchQuarantined, formatQuarantineReport } from './explain/quarantine-report.ts';

const HELP = `
Shows the state of the event, its history with Adobe's answers, what the mapping left out, and the next commands to run.
Of a request in the quarantine it shows why its sender could not be verified; by an event id it finds the newest 200
of them. The payload is personal data, so it is only shown with --body.

Examples:
  $ capillary-relay explain 0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01
  $ capillary-relay explain 9b7b5f0e-2f64-4f3d-8f16-0a4c1f6f2c02 --body`;

/** The state of the destination; relevant only while the event is pending. */
async function destinationOf(
  client: AdminClient,
  { state, destination }: RecordAnswer,
): Promise<DestinationAnswer | undefined> {
  if (state !== 'pending') return undefined;
  const { destinations } = await client.get<{ destinations: readonly DestinationAnswer[] }>('/destinations');
  return destinations.find(({ name }) => name === destination);
}

/** The history of a request in the quarantine; undefined if it is not there. */
async function quarantined(
  client: AdminClient,
  id: string,
  withBody: boolean,
): Promise<QuarantinedRequestAnswer | undefined> {
  try {
    return await fetchQuarantined(client, id, withBody);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** Version 7 UUIDs, as receipts are. */
const RECEIPT = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/;

/** An event id is not found in every request that was refused. */
function withSearchHint(error: unknown, id: string): unknown {
  return error instanceof NotFoundError && !RECEIPT.test(id)
    ? new NotFoundError(
        `${error.message}. Refused requests are known by their receipts, and only the newest in the quarantine are searched for an event id: see quarantine list. What Capillary gave up on has not arrived: see reconcile`,
      )
    : error;
}

async function runExplain(id: string, options: AdminOptions & { body?: boolean }): Promise<void> {
  const client = await adminClient(options);
  const withBody = options.body === true;
  try {
    const path = `/events/${encodeURIComponent(shortId(id))}`;
    const record = await client.get<RecordAnswer>(path, { body: String(withBody) });
    if (options.json === true) return printJson(record);
    const destination = await destinationOf(client, record);
    console.log(formatEventReport(record, { destination, given: options }));
  } catch (error) {
    const request =
      error instanceof NotFoundError ? await quarantined(client, shortId(id), withBody) : undefined;
    if (request === undefined) throw withSearchHint(error, id);
    if (options.json === true) printJson(request);
    else console.log(formatQuarantineReport(request, options));
  }
}

export function registerExplain(program: Command): void {
  withAdminOptions(program.command('explain'))
    .description('show the history of one event (received, verified, sent, answered) and what to do next')
    .argument('<id>', "receipt, or Capillary's event id")
    .option('--body', 'also show the payload and, for a dead letter, the messages sent')
    .addHelpText('after', HELP)
    .action(runExplain);
}

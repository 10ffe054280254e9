import { type AdminClient, adminClient, type AdminOptions, printJson } from './admin-client.ts';
import { confirm, isInteractive } from './bulk-action.ts';
import { CommandError, EXIT } from './command-error.ts';
import { formatFitting } from './fitting-table.ts';

export interface RerouteOptions extends AdminOptions {
  readonly source?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface Move {
  readonly source: string;
  readonly from: string;
  readonly to: string;
  readonly pending: number;
}

interface RerouteAnswer {
  readonly matched: number;
  /** Absent in a dry run. */
  readonly rerouted?: number;
  readonly moves: readonly Move[];
}

function formatMoves({ moves, matched }: RerouteAnswer): string {
  if (moves.length === 0) return 'every pending event waits where its source sends now';
  const table = formatFitting(moves, [
    { heading: 'SOURCE', cell: ({ source }) => source, cutTo: 20 },
    { heading: 'WAIT AT', cell: ({ from }) => from, cutTo: 20 },
    { heading: 'WOULD GO TO', cell: ({ to }) => to, cutTo: 20 },
    { heading: 'PENDING', cell: ({ pending }) => pending },
  ]);
  return `${matched} would be rerouted\n\n${table}`;
}

async function post(client: AdminClient, body: object): Promise<RerouteAnswer> {
  return client.post<RerouteAnswer>('/destinations/reroute', body);
}

/**
 * Moves pending events to the destination that their source has now. On a terminal it shows them
 * and asks first.
 */
export async function runReroute(options: RerouteOptions): Promise<void> {
  const { source, json } = options;
  const dryRun = options.dryRun === true;
  const needsConsent = !dryRun && options.yes !== true;
  if (needsConsent && !isInteractive())
    throw new CommandError(
      'without a terminal to ask on, this needs --yes; --dry-run shows what it would do',
      EXIT.usage,
    );
  const client = await adminClient(options);
  if (needsConsent) {
    const found = await post(client, { source, dryRun: true });
    if (found.matched > 0) {
      console.error(formatMoves(found));
      if (!(await confirm(`Reroute ${found.matched} pending events?`)))
        throw new CommandError('nothing was done', EXIT.failed);
    }
  }
  const answer = await post(client, { source, dryRun });
  if (json === true) printJson(answer);
  else console.log(dryRun ? formatMoves(answer) : `rerouted ${answer.rerouted ?? 0}`);
}

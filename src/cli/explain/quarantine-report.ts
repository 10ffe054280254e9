import { styleText } from 'node:util';
import type { AdminClient } from '../admin-client.ts';
import type { QuarantinedRequestAnswer } from '../admin-answers.ts';
import { formatTable, toPrintable } from '../table.ts';
import { formatDuration, formatTime } from '../time-format.ts';
import { formatPayload } from './payload-text.ts';
import { type GivenOptions, relayCommand } from './relay-options.ts';
import { describeVerifier, fixOf, MEANINGS } from './verifier-texts.ts';

/** Asks the relay for one quarantined request. */
export function fetchQuarantined(
  client: AdminClient,
  receipt: string,
  withBody: boolean,
): Promise<QuarantinedRequestAnswer> {
  const path = `/quarantine/${encodeURIComponent(receipt)}`;
  return client.get<QuarantinedRequestAnswer>(path, { body: String(withBody) });
}

function formatReasons(reasons: readonly string[]): string {
  return formatTable(reasons, [
    { heading: 'REFUSED BY', cell: (code) => code },
    { heading: 'MEANING', cell: (code) => MEANINGS[code.split(':').at(-1) ?? ''] },
  ]);
}

function formatHeaders({ headers }: QuarantinedRequestAnswer): string {
  return formatTable(headers, [
    { heading: 'HEADER', cell: ({ name }) => name },
    { heading: 'VALUE', cell: ({ characters }) => `(${characters} characters)` },
  ]);
}

/** The keys that could let it pass; the verifiers refused it in the order of the configuration. */
function formatFixes({ source, expected, problem = '' }: QuarantinedRequestAnswer): string[] {
  const fixes = problem.split(', ').flatMap((code, place) => {
    const name = expected[place];
    return fixOf(code, source, name === undefined ? undefined : { place, name }) ?? [];
  });
  if (fixes.length === 0) return [];
  return ['If Capillary sent it, one of these lets it pass:', ...fixes.map((fix) => `  ${toPrintable(fix)}`)];
}

function adviceFor(request: QuarantinedRequestAnswer, given: GivenOptions): string {
  const { source, receipt, releasable, problem = '' } = request;
  const command = (args: string): string => relayCommand(given, args);
  const releaseAll = command(`quarantine release --source ${source} --dry-run`);
  if (releasable)
    return [
      `The source accepts it now. Release it: ${command(`quarantine release ${receipt}`)}`,
      `What else would pass: ${releaseAll}`,
    ].join('\n');
  return [
    `It would still be refused: ${toPrintable(problem)}.`,
    ...formatFixes(request),
    `After an edit of the file: ${command('reload')}`,
    'A secret in a file of its own (${file:…}) is read again by itself when that file changes.',
    `Then see what would pass: ${releaseAll}`,
    `Release this one: ${command(`quarantine release ${receipt}`)}`,
    `If nobody of yours sent it: ${command(`quarantine discard ${receipt}`)}`,
  ].join('\n');
}

/**
 * Everything known about a quarantined request, as text.
 * @param given options of the running command, with which the suggested ones reach the same relay
 */
export function formatQuarantineReport(request: QuarantinedRequestAnswer, given: GivenOptions): string {
  const { receipt, receivedAt, eventName, source, ip, bytes, expected } = request;
  const age = formatDuration(Math.max(0, Date.now() - Date.parse(receivedAt)));
  const facts = [
    ['event', eventName === undefined ? 'unknown' : `${eventName}, as its body says; nobody has verified it`],
    ['source', source],
    ['sent from', ip],
    ['received', formatTime(receivedAt)],
    ['body', `${bytes} bytes`],
    ['expected', expected.map(describeVerifier).join('; or ')],
  ]
    .filter(([, value]) => value !== '')
    .map(([name = '', value = '']) => `${name.padEnd(11)}${toPrintable(value)}`);
  const hasPayload = request.body !== undefined || request.bodyBase64 !== undefined;
  return [
    `${styleText('bold', `${toPrintable(receipt)}: in the quarantine`)}\nIts sender could not be verified ${age} ago. It was answered 401, after which Capillary does not send it again, and was never accepted.`,
    facts.join('\n'),
    ...(request.reasons.length > 0 ? [formatReasons(request.reasons)] : []),
    ...(request.headers.length > 0 ? [formatHeaders(request)] : []),
    ...(hasPayload ? [formatPayload(request)] : []),
    `${styleText('bold', 'What to do next')}\n${adviceFor(request, given)}`,
  ].join('\n\n');
}

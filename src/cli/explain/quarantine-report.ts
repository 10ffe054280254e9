import { styleText } from 'node:util';
import type { AdminClient } from '../admin-client.ts';
import type { QuarantinedRequestAnswer } from '../admin-answers.ts';
import { formatTable, toPrintable } from '../table.ts';
import { VERIFIERS } from './event-report.ts';
import { formatDuration, formatTime } from '../time-format.ts';

/** What a verifier found, by the last part of its code: `mismatch` in `header:mismatch`. */
const MEANINGS: Readonly<Record<string, string>> = {
  missing: 'the header with the credential is missing',
  doubled: 'the header with the credential was sent twice, so it is ignored',
  mismatch: 'the credential is none of the configured values',
  'wrong-scheme': 'the Authorization header has another scheme',
  'bad-prefix': 'the signature does not begin with the configured prefix',
  'bad-encoding': 'the credential is not encoded as it should be',
  'bad-signature': 'no configured secret gives this signature for this body',
  'timestamp-missing': 'the header with the time of signing is missing',
  'timestamp-doubled': 'the header with the time of signing was sent twice',
  'timestamp-malformed': 'the time of signing is not a number',
  'timestamp-old': 'it was signed too long before it arrived',
  'timestamp-new': 'it was signed in the future: compare the clocks',
  'id-missing': 'the header with the id is missing',
  'id-doubled': 'the header with the id was sent twice',
  'ip-not-allowed': 'the address of the sender is not in allowFrom of the source',
};

/** `header:x-relay-key, secret request header`. */
function describeVerifier(name: string): string {
  const meaning = VERIFIERS[name.split(':')[0] ?? ''];
  return meaning === undefined ? name : `${name}, ${meaning}`;
}

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

function adviceFor(
  { source, receipt, releasable, problem = '' }: QuarantinedRequestAnswer,
  options: string,
): string {
  const commandLine = (args: string): string => `capillary-relay ${args}${options}`;
  if (releasable)
    return `The source accepts it now. Release it: ${commandLine(`quarantine release ${receipt}`)}`;
  return [
    `It would still be refused: ${toPrintable(problem)}.`,
    `If Capillary sent it: add the secret that it uses now to the source ${source}, next to the old one; a secret from a file is read again when the file changes.`,
    `Then release it:      ${commandLine(`quarantine release ${receipt}`)}`,
    `If nobody of yours sent it: ${commandLine(`quarantine discard ${receipt}`)}`,
  ].join('\n');
}

function formatPayload({ body, bodyBase64 }: QuarantinedRequestAnswer): string {
  return JSON.stringify(body === undefined ? { bodyBase64 } : { body }, undefined, 2);
}

/**
 * Everything known about a quarantined request, as text.
 * @param options options with which the suggested commands reach the same relay
 */
export function formatQuarantineReport(request: QuarantinedRequestAnswer, options: string): string {
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
    `${styleText('bold', 'What to do next')}\n${adviceFor(request, options)}`,
  ].join('\n\n');
}

import type { DestinationAnswer } from '../admin-answers.ts';
import { toPrintable } from '../table.ts';
import { formatTime } from '../time-format.ts';
import { configOptions, type GivenOptions, relayCommand } from './relay-options.ts';

const REFUSED_TOKEN_ADVICE =
  'The inlet refuses new tokens, too, so the credential works but may not write: check the role and the sandbox of its technical account. If the error says that the token is empty, the destination has authenticated: false.';

const WRONG_URL_ADVICE = 'Copy inletUrl again from the HTTP API connection in AEP; it may have been deleted.';

const WAIT_ADVICE = 'There is nothing to do but wait.';

/** What a stop means whose cause is not in the last error alone. */
const STOP_ADVICE: Readonly<Record<string, string>> = {
  unauthorized: REFUSED_TOKEN_ADVICE,
  forbidden: REFUSED_TOKEN_ADVICE,
  'ip-not-allowed': "Adobe's allow list of addresses does not contain the relay's outgoing address.",
  'inlet-not-found': WRONG_URL_ADVICE,
  'not-available': WRONG_URL_ADVICE,
  'wrong-ims-org': 'Compare imsOrgId of the destination with the organisation of the connection in AEP.',
  'unknown-schema': 'Compare schemaId of the destination with the schema of its dataset in AEP.',
  throttled: `Adobe takes fewer requests than there are. ${WAIT_ADVICE}`,
  'items-failing': `Adobe fails for each message of its answers. ${WAIT_ADVICE}`,
  'ims-invalid_client':
    'IMS refuses the credential. Put its id and a current secret into ims.clientId and ims.clientSecrets; a changed secret file is tried at once.',
  'ims-invalid_scope': 'Compare ims.scopes with the scopes of the credential in the Developer Console.',
  'ims-unauthorized_client': 'The credential in ims must be of the type OAuth Server-to-Server.',
  'ims-refused':
    'IMS, or a proxy that answers in its place, refuses the token request. Check ims.url and the path to it.',
  'ims-throttled': `IMS throttles requests for tokens. ${WAIT_ADVICE}`,
  'ims-unavailable': `IMS is failing. ${WAIT_ADVICE} If this lasts, a proxy may answer in its place.`,
  'ims-network': 'IMS cannot be reached. Check ims.url, DNS, the firewall and the proxy.',
  'proxy-refused':
    'The proxy does not let the relay through to Adobe. Check its rules for the hosts of Adobe, and the user name and password in egress.proxy or HTTPS_PROXY.',
  'proxy-failing':
    'The proxy cannot be reached, or cannot reach Adobe. Check the proxy, and egress.proxy or HTTPS_PROXY.',
  'foreign-answer':
    'Something other than Adobe answers, such as a proxy, a gateway or a login page: nothing was delivered. Let the requests through to inletUrl.',
  'everything-refused':
    'Adobe refuses the messages of several customers and takes none, so the cause is probably the dataset, the schema or the flow of the destination and not one event.',
};

const OUTAGE_ADVICE = `Adobe answers, but is failing. ${WAIT_ADVICE}`;
const NETWORK_ADVICE =
  'Adobe does not answer, or not in time. The cause can be a proxy, a firewall or DNS on the path to it.';

/** Causes that end by themselves: no check of this side finds anything. */
const ENDS_BY_ITSELF: ReadonlySet<string> = new Set([
  'throttled',
  'items-failing',
  'ims-throttled',
  'ims-unavailable',
]);

/** Causes that the relay sees in answers to events only. */
const SEEN_IN_ANSWERS: ReadonlySet<string> = new Set([
  'everything-refused',
  'wrong-ims-org',
  'unknown-schema',
]);

/** The detail of an answer begins with its status, that of a network error with its code. */
function isAnswer(detail: string): boolean {
  return /^\d{3}\b/.test(detail);
}

/** How to find the cause; `check --connect` sends nothing to the inlet, `doctor` an empty batch. */
function adviseDiagnosis({ reason = '', detail = '' }: DestinationAnswer, given: GivenOptions): string {
  const isOutage = reason === 'failing' && isAnswer(detail);
  if (isOutage || ENDS_BY_ITSELF.has(reason) || SEEN_IN_ANSWERS.has(reason))
    return `See the last answers: ${relayCommand(given, 'destinations list')}`;
  const isConnection = reason === 'failing' || /^(ims|proxy)-/.test(reason);
  const command = isConnection ? 'check --connect' : 'doctor';
  return `Find the cause: capillary-relay ${command}${configOptions(given)}`;
}

function meaningOf({ reason = '', detail = '' }: DestinationAnswer): string | undefined {
  if (reason === 'failing') return isAnswer(detail) ? OUTAGE_ADVICE : NETWORK_ADVICE;
  return STOP_ADVICE[reason];
}

function withFullStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Why an event waits for a destination that is not flowing, and what to do. */
export function adviseNotFlowing(destination: DestinationAnswer, given: GivenOptions): string {
  const { name, state, reason, detail, nextTryAt } = destination;
  const cause = reason === undefined ? '' : ` (${reason})`;
  const lastError =
    detail === undefined || reason === 'operator' ? '' : ` Last error: ${withFullStop(toPrintable(detail))}`;
  const waits = `It waits because the destination ${name} is ${state}${cause}.${lastError}`;
  const resume = relayCommand(given, `destinations resume ${name}`);
  if (reason === 'operator') return `${waits}\nResume it: ${resume}`;
  const next = nextTryAt === undefined ? '' : `, next at ${formatTime(nextTryAt)}`;
  return [
    `${waits} The relay retries automatically${next}.`,
    meaningOf(destination),
    adviseDiagnosis(destination, given),
    `Try again at once: ${resume}`,
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}

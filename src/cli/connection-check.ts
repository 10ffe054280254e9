import type { InletAnswer } from '../adobe/answer.ts';
import { createTokenSource } from '../adobe/ims-client.ts';
import { createInlet } from '../adobe/inlet-client.ts';
import { readProblem } from '../adobe/problem-text.ts';
import type { DestinationConfig } from '../config/schema.ts';
import { formatSpan } from './moment.ts';
import { reach } from './reachability.ts';

/** One thing tried at a destination. */
export interface ConnectionCheck {
  readonly destination: string;
  readonly check: 'token' | 'inlet' | 'answer';
  readonly ok: boolean;
  /** Not ok for now, by no fault on this side. */
  readonly passing?: boolean;
  /** What came of it; never a token or a secret. */
  readonly detail: string;
  /** What to do about a failure. */
  readonly cure?: string;
}

type Found = Pick<ConnectionCheck, 'ok' | 'detail' | 'cure' | 'passing'>;

const TIMEOUT_MS = 10_000;

const NETWORK = 'check name resolution, the firewall and the proxy between here and Adobe';

/** What to do about the faults that IMS names. Source: adobe.md §1.4. */
const CURES: Readonly<Record<string, string>> = {
  invalid_client: 'compare ims.clientId and ims.clientSecrets with the credential in the Developer Console',
  invalid_client_secret: 'copy a current client secret from the Developer Console into ims.clientSecrets',
  invalid_scope: 'copy the scopes of the credential from the Developer Console into ims.scopes',
  unauthorized_client: 'the credential must be of the type OAuth server-to-server',
  throttled: 'IMS asks for a pause; try again later',
  network: NETWORK,
};

async function checkToken(
  ims: NonNullable<DestinationConfig['ims']>,
): Promise<{ readonly found: Found; readonly token?: string }> {
  const source = createTokenSource({ ...ims, timeoutMs: TIMEOUT_MS });
  try {
    const started = performance.now();
    // Every secret may be tried in turn, each with a time limit of its own.
    const answer = await source.get(AbortSignal.timeout(TIMEOUT_MS * (ims.clientSecrets.length + 1)));
    if (!answer.ok)
      return {
        found: { ok: false, detail: `${answer.code}: ${answer.detail}`, cure: CURES[answer.code] ?? NETWORK },
      };
    const left = source.secondsLeft();
    const lifetime = left === undefined ? '' : `, valid for ${formatSpan(left * 1_000)}`;
    const detail = `minted in ${formatSpan(performance.now() - started)}${lifetime}`;
    return { found: { ok: true, detail }, token: answer.token };
  } finally {
    source.close();
  }
}

async function checkInlet(url: string): Promise<Found> {
  const reached = await reach(url, TIMEOUT_MS);
  return reached.ok
    ? { ok: true, detail: `${reached.host} reached in ${reached.ms} ms; nothing was sent` }
    : { ok: false, detail: `${reached.host} ${reached.code}: ${reached.detail}`, cure: NETWORK };
}

const ROLE = "the credential's technical account needs a role that may write to the sandbox";

/** What to do about a status of the inlet. Source: adobe.md §2.9. */
const STATUS_CURES: Readonly<Record<number, string>> = {
  401: `compare imsOrgId with the credential's organisation, and authenticated with the connection; ${ROLE}`,
  403: `${ROLE}; an empty answer means that the address of this machine is not allowed`,
  404: 'copy inletUrl again from the HTTP API connection in AEP; it may have been deleted',
  501: 'copy inletUrl again from the HTTP API connection in AEP',
};

function judge(answer: InletAnswer): Found {
  if (answer.kind === 'failure')
    return { ok: false, detail: `${answer.code}: ${answer.detail}`, cure: NETWORK };
  const { status, body, durationMs } = answer;
  const words = readProblem(body) || 'an empty answer';
  // Of an empty batch nothing can be taken: that it is refused for being empty shows that all before that was right.
  if (status < 300 || status === 400)
    return { ok: true, detail: `answered ${status} to an empty batch in ${durationMs} ms; nothing was sent` };
  const detail = `answered ${status} to an empty batch: ${words}`;
  if (status === 429 || status >= 502 || status === 500)
    return { ok: false, passing: true, detail, cure: 'Adobe is busy or ill; try again later' };
  return { ok: false, detail, cure: STATUS_CURES[status] ?? 'compare inletUrl with the connection in AEP' };
}

async function askInlet(destination: DestinationConfig, token: string | undefined): Promise<Found> {
  const { inletUrl, sandbox, events } = destination;
  const inlet = createInlet({ inletUrl, sandbox, connections: 1, requestTimeoutMs: TIMEOUT_MS });
  try {
    return judge(await inlet.sendBatch(events, [], token, AbortSignal.timeout(2 * TIMEOUT_MS)));
  } finally {
    await inlet.close();
  }
}

/**
 * Mints a token and reaches the inlet's server, without sending an event.
 * @param options `ask`: also sends a batch without messages, to see that the inlet exists and takes the token
 */
export async function checkConnection(
  destination: DestinationConfig,
  { ask = false }: { readonly ask?: boolean } = {},
): Promise<ConnectionCheck[]> {
  const { name, ims, authenticated, inletUrl } = destination;
  const credential = authenticated ? ims : undefined;
  const [minted, inlet] = await Promise.all([
    credential === undefined ? undefined : checkToken(credential),
    checkInlet(inletUrl),
  ]);
  // Without a token the inlet would only say that there is none.
  const canAsk = ask && inlet.ok && minted?.found.ok !== false;
  const answer = canAsk ? await askInlet(destination, minted?.token) : undefined;
  return [
    ...(minted === undefined ? [] : [{ destination: name, check: 'token' as const, ...minted.found }]),
    { destination: name, check: 'inlet' as const, ...inlet },
    ...(answer === undefined ? [] : [{ destination: name, check: 'answer' as const, ...answer }]),
  ];
}

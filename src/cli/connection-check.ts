import type { InletResult } from '../adobe/ports.ts';
import { DIRECT_EGRESS, type Egress } from '../http/egress.ts';
import { failureOf } from '../http/failure.ts';
import { createTokenSource } from '../adobe/ims/token-source.ts';
import { isAdobeError, isAdobeSuccess, isPage } from '../adobe/inlet/adobe-answer.ts';
import { createInlet } from '../adobe/inlet/inlet-client.ts';
import { readProblem } from '../adobe/inlet/response.ts';
import type { DestinationConfig } from '../config/config-schema.ts';
import { formatPeer } from './egress-routes.ts';
import { formatDuration } from './time-format.ts';

type ConnectResult =
  | { readonly ok: true; readonly host: string; readonly ms: number }
  | { readonly ok: false; readonly host: string; readonly code: string; readonly detail: string };

/**
 * Connects to the server of a URL as the relay does, and closes the connection without sending a
 * request.
 */
async function tryConnect(egress: Egress, text: string, timeoutMs: number): Promise<ConnectResult> {
  const url = new URL(text);
  const host = formatPeer(url);
  const started = performance.now();
  try {
    await egress.tryConnect(url, timeoutMs);
    return { ok: true, host, ms: Math.round(performance.now() - started) };
  } catch (error) {
    return { ok: false, host, ...failureOf(error) };
  }
}

/** Result of one check of a destination; printed with --json. */
export interface ConnectionCheck {
  readonly destination: string;
  readonly check: 'token' | 'inlet' | 'answer';
  readonly ok: boolean;
  /** It failed for a temporary reason on the other side, or may not be a failure. */
  readonly passing?: boolean;
  /** Never a token or a secret. */
  readonly detail: string;
  /** How to fix a failure. */
  readonly fix?: string;
}

type CheckResult = Pick<ConnectionCheck, 'ok' | 'detail' | 'fix' | 'passing'>;

const TIMEOUT_MS = 10_000;

export const NETWORK_FIX = 'check name resolution, the firewall and the proxy between this machine and Adobe';

/** Fixes by the code of a failure of the proxy. */
const PROXY_FIXES: Readonly<Record<string, string>> = {
  'proxy-refused':
    'have the proxy allow the hosts of Adobe, and check its user name and password in egress.proxy or HTTPS_PROXY; list hosts that need no proxy in egress.noProxy',
  'proxy-failing':
    'check that the proxy of egress.proxy or HTTPS_PROXY runs and reaches Adobe; list hosts that need no proxy in egress.noProxy',
};

/** Fixes for the error codes of IMS. Source: docs/platforms/adobe.md#token-errors. */
const TOKEN_FIXES: Readonly<Record<string, string>> = {
  invalid_client: 'compare ims.clientId and ims.clientSecrets with the credential in the Developer Console',
  invalid_client_secret: 'copy a current client secret from the Developer Console into ims.clientSecrets',
  invalid_scope: 'copy the scopes of the credential from the Developer Console into ims.scopes',
  unauthorized_client: 'the credential must be of type OAuth server-to-server',
  throttled: 'IMS throttles token requests; try again later',
  unavailable: 'IMS is failing, or something answers in its place; try again later',
  refused: 'compare ims.url with the documentation, and check the proxy between this machine and IMS',
  network: NETWORK_FIX,
  ...PROXY_FIXES,
};

/** How to fix that IMS gave no token. */
export function tokenFix(code: string): string {
  return TOKEN_FIXES[code] ?? NETWORK_FIX;
}

async function checkToken(
  ims: NonNullable<DestinationConfig['ims']>,
  egress: Egress,
): Promise<{ readonly result: CheckResult; readonly token?: string }> {
  const source = createTokenSource({ ...ims, egress, timeoutMs: TIMEOUT_MS });
  try {
    const started = performance.now();
    // The source may try every secret, each with its own timeout.
    const answer = await source.get(AbortSignal.timeout(TIMEOUT_MS * (ims.clientSecrets.length + 1)));
    if (!answer.ok) {
      const detail = `${answer.code}: ${answer.detail}`;
      return { result: { ok: false, detail, fix: tokenFix(answer.code) } };
    }
    const left = source.secondsLeft();
    const lifetime = left === undefined ? '' : `, valid for ${formatDuration(left * 1_000)}`;
    const detail = `minted in ${formatDuration(performance.now() - started)}${lifetime}`;
    return { result: { ok: true, detail }, token: answer.token };
  } finally {
    source.close();
  }
}

async function checkInlet(url: string, egress: Egress): Promise<CheckResult> {
  const connected = await tryConnect(egress, url, TIMEOUT_MS);
  if (connected.ok)
    return { ok: true, detail: `${connected.host} reached in ${connected.ms} ms; nothing was sent` };
  const { host, code, detail } = connected;
  return { ok: false, detail: `${host} ${code}: ${detail}`, fix: fixOfFailure(code) };
}

function fixOfFailure(code: string): string {
  return PROXY_FIXES[code] ?? NETWORK_FIX;
}

const ROLE_FIX = "the credential's technical account needs a role that may write to the sandbox";

/** Fixes by status of the inlet. Source: docs/platforms/adobe.md#inlet-statuses. */
const STATUS_FIXES: Readonly<Record<number, string>> = {
  401: `compare imsOrgId with the credential's organisation, and authenticated with the connection; ${ROLE_FIX}`,
  403: `${ROLE_FIX}; an empty answer means that the address of this machine is not allowed`,
  404: 'copy inletUrl again from the HTTP API connection in AEP; it may have been deleted',
  501: 'copy inletUrl again from the HTTP API connection in AEP',
};

const FOREIGN_FIX =
  "something else answers in Adobe's place: check the proxy or gateway between this machine and Adobe, and compare inletUrl with the connection in AEP";

function judgeAnswer(answer: InletResult): CheckResult {
  if (answer.kind === 'failure')
    return { ok: false, detail: `${answer.code}: ${answer.detail}`, fix: fixOfFailure(answer.code) };
  const { status, body, durationMs } = answer;
  // An empty batch cannot be accepted. A rejection for being empty shows that everything else is
  // right.
  const isAdobes = status < 300 ? isAdobeSuccess(body, answer.isTruncated) : isAdobeError(body, status);
  if (isAdobes && (status < 300 || status === 400))
    return { ok: true, detail: `answered ${status} to an empty batch in ${durationMs} ms; nothing was sent` };
  const detail = `answered ${status} to an empty batch: ${readProblem(body) || 'an empty answer'}`;
  if (status === 429 || status >= 502 || status === 500)
    return { ok: false, passing: true, detail, fix: 'Adobe is overloaded or failing; try again later' };
  // Adobe does not document its answer to an empty batch, so an unknown 400 is not certainly
  // foreign.
  if (status <= 400) {
    const cause = { detail: `${detail} (not Adobe's answer)`, fix: FOREIGN_FIX };
    return { ok: false, ...cause, ...(status === 400 && { passing: true }) };
  }
  // A proxy that denies the request says nothing about the credential.
  if ((status === 401 || status === 403) && isPage(body))
    return { ok: false, detail: `${detail} (not Adobe's answer)`, fix: FOREIGN_FIX };
  return { ok: false, detail, fix: STATUS_FIXES[status] ?? 'compare inletUrl with the connection in AEP' };
}

async function checkAnswer(
  destination: DestinationConfig,
  egress: Egress,
  token: string | undefined,
): Promise<CheckResult> {
  const { inletUrl, sandbox, events } = destination;
  const inlet = createInlet({ inletUrl, sandbox, connections: 1, egress, requestTimeoutMs: TIMEOUT_MS });
  try {
    return judgeAnswer(await inlet.sendBatch(events, [], token, AbortSignal.timeout(2 * TIMEOUT_MS)));
  } finally {
    await inlet.close();
  }
}

/**
 * Requests a token and connects to the inlet, without sending an event.
 * @param options `sendEmptyBatch`: also checks that the inlet exists and accepts the token;
 *   `egress`: the relay's way to Adobe, by default without a proxy
 */
export async function checkConnection(
  destination: DestinationConfig,
  options: { readonly sendEmptyBatch?: boolean; readonly egress?: Egress } = {},
): Promise<ConnectionCheck[]> {
  const { sendEmptyBatch = false, egress = DIRECT_EGRESS } = options;
  const { name, ims, authenticated, inletUrl } = destination;
  const credential = authenticated ? ims : undefined;
  const [token, inlet] = await Promise.all([
    credential === undefined ? undefined : checkToken(credential, egress),
    checkInlet(inletUrl, egress),
  ]);
  // Without a token the inlet would only report that the token is missing.
  const canSend = sendEmptyBatch && inlet.ok && token?.result.ok !== false;
  const answer = canSend ? await checkAnswer(destination, egress, token?.token) : undefined;
  return [
    ...(token === undefined ? [] : [{ destination: name, check: 'token' as const, ...token.result }]),
    { destination: name, check: 'inlet' as const, ...inlet },
    ...(answer === undefined ? [] : [{ destination: name, check: 'answer' as const, ...answer }]),
  ];
}

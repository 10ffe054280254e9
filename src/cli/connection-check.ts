import { createTokenSource } from '../adobe/ims-client.ts';
import type { DestinationConfig } from '../config/schema.ts';
import { formatSpan } from './moment.ts';
import { reach } from './reachability.ts';

/** One thing tried at a destination. */
export interface ConnectionCheck {
  readonly destination: string;
  readonly check: 'token' | 'inlet';
  readonly ok: boolean;
  /** What came of it; never a token or a secret. */
  readonly detail: string;
  /** What to do about a failure. */
  readonly cure?: string;
}

type Found = Pick<ConnectionCheck, 'ok' | 'detail' | 'cure'>;

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

const checkToken = async (ims: NonNullable<DestinationConfig['ims']>): Promise<Found> => {
  const source = createTokenSource({ ...ims, timeoutMs: TIMEOUT_MS });
  try {
    const started = performance.now();
    // Every secret may be tried in turn, each with a time limit of its own.
    const answer = await source.get(AbortSignal.timeout(TIMEOUT_MS * (ims.clientSecrets.length + 1)));
    if (!answer.ok)
      return { ok: false, detail: `${answer.code}: ${answer.detail}`, cure: CURES[answer.code] ?? NETWORK };
    const left = source.secondsLeft();
    const lifetime = left === undefined ? '' : `, valid for ${formatSpan(left * 1_000)}`;
    return { ok: true, detail: `minted in ${formatSpan(performance.now() - started)}${lifetime}` };
  } finally {
    source.close();
  }
};

const checkInlet = async (url: string): Promise<Found> => {
  const reached = await reach(url, TIMEOUT_MS);
  return reached.ok
    ? { ok: true, detail: `${reached.host} reached in ${reached.ms} ms; nothing was sent` }
    : { ok: false, detail: `${reached.host} ${reached.code}: ${reached.detail}`, cure: NETWORK };
};

/** Mints a token and reaches the inlet's server, without sending an event. */
export const checkConnection = async (destination: DestinationConfig): Promise<ConnectionCheck[]> => {
  const { name, ims, authenticated, inletUrl } = destination;
  const token = authenticated && ims !== undefined ? checkToken(ims) : undefined;
  const [minted, inlet] = await Promise.all([token, checkInlet(inletUrl)]);
  return [
    ...(minted === undefined ? [] : [{ destination: name, check: 'token' as const, ...minted }]),
    { destination: name, check: 'inlet' as const, ...inlet },
  ];
};

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createCapillaryClient } from '../../capillary/api/capillary-client.ts';
import type { Config, DestinationConfig } from '../../config/config-schema.ts';
import type { SourceConfig } from '../../config/source-config.ts';
import { createEgress, type Egress } from '../../http/egress.ts';
import { checkConnection } from '../connection-check.ts';
import { routesOf } from '../egress-routes.ts';
import { formatOrganisation } from '../register/register-texts.ts';
import { registerError } from '../register/settle-webhook.ts';
import { formatDuration } from '../time-format.ts';
import { enrichmentFindings } from './enrichment-findings.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { logFindings } from './reconciliation-findings.ts';

/** undici publishes the headers of every answer that this process receives. */
const HEADERS_CHANNEL = 'undici:request:headers';
/**
 * A Date header is truncated to whole seconds: on average the server's clock is 0.5 s ahead of it.
 */
const DATE_ROUNDING_MS = 500;

interface HeadersMessage {
  readonly request: { readonly origin: string | URL };
  /** Names and values alternate. */
  readonly response: { readonly headers: readonly (Buffer | string)[] };
}

function dateOf(headers: HeadersMessage['response']['headers']): number {
  const nameIndex = headers.findIndex(
    (name, index) => index % 2 === 0 && String(name).toLowerCase() === 'date',
  );
  return nameIndex < 0 ? Number.NaN : Date.parse(String(headers[nameIndex + 1]));
}

interface ClockOffsets {
  /**
   * ms by which the local clock is ahead of each server, by origin; the smallest of several values.
   */
  readonly ahead: ReadonlyMap<string, number>;
  stop(): void;
}

/** Reads the Date headers of answers to other requests, so that no server is asked for the time. */
function watchClockOffsets(): ClockOffsets {
  const ahead = new Map<string, number>();
  const onHeaders = (message: unknown): void => {
    const { request, response } = message as HeadersMessage;
    const skew = Date.now() - dateOf(response.headers) - DATE_ROUNDING_MS;
    if (Number.isNaN(skew)) return;
    const { origin } = new URL(request.origin);
    const before = ahead.get(origin);
    if (before === undefined || Math.abs(skew) < Math.abs(before)) ahead.set(origin, skew);
  };
  subscribe(HEADERS_CHANNEL, onHeaders);
  return { ahead, stop: () => void unsubscribe(HEADERS_CHANNEL, onHeaders) };
}

// Tokens are valid for a day, but Adobe rejects events from the future, and signed times may differ
// by minutes only.
const WARN_SKEW_MS = 5_000;
const FAIL_SKEW_MS = 60_000;

const CLOCK_FIX =
  'synchronise the clock of this machine with chrony or systemd-timesyncd (in a container: of its host)';

function clockFinding(origin: string, ahead: number): Finding {
  const check = `clock/${new URL(origin).host}`;
  const skew = Math.abs(ahead);
  const detail = `${formatDuration(skew)} ${ahead < 0 ? 'behind' : 'ahead of'} its Date header`;
  // A difference below one second is the rounding of the header.
  if (skew <= WARN_SKEW_MS) return ok(check, skew < 1_000 ? 'within a second of its Date header' : detail);
  return skew > FAIL_SKEW_MS ? fail(check, detail, CLOCK_FIX) : warn(check, detail, CLOCK_FIX);
}

function clockFindings({ ahead }: ClockOffsets): Finding[] {
  return ahead.size === 0
    ? [
        warn(
          'clock',
          'no server answered, so there was nothing to compare it with',
          'restore the connection, then try again',
        ),
      ]
    : [...ahead].map(([origin, ms]) => clockFinding(origin, ms));
}

/** Token, inlet and its answer to an empty batch. Sends no event. */
export async function connectionFindings(destination: DestinationConfig, egress: Egress): Promise<Finding[]> {
  const checks = await checkConnection(destination, { sendEmptyBatch: true, egress });
  return checks.map(({ check, ok: isOk, passing, detail, fix = '' }) => {
    const name = `${check}/${destination.name}`;
    if (isOk) return ok(name, detail);
    return (passing === true ? warn : fail)(name, detail, fix);
  });
}

/** Whether the API client of a source gets a token from Capillary, and may read what it has to. */
async function apiFindings(source: SourceConfig, egress: Egress): Promise<Finding[]> {
  const { name, api } = source;
  if (api === undefined) return [];
  const client = createCapillaryClient({ api, egress });
  try {
    const answer = await client.claims({ attempts: 1 });
    if (answer.ok)
      return [
        ok(`api/${name}`, `a token of ${formatOrganisation(answer.value)}`),
        ...(await enrichmentFindings(source, client, answer.value)),
        ...(await logFindings(source, client, Date.now())),
      ];
    const { message, fix = '' } = registerError(answer.error);
    return [fail(`api/${name}`, message, fix)];
  } finally {
    await client.close();
  }
}

/**
 * Says how each host of Adobe and Capillary is reached, and checks each destination, each API
 * client and the local clock against those of Adobe and Capillary. Sends no event.
 * @param env as `process.env`: it can name the proxy
 */
export async function networkFindings(
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finding[]> {
  const egress = createEgress(config.egress, env);
  const routes = routesOf(config, egress).map(({ host, way, usedFor }) =>
    ok(`route/${host}`, `${way}; for ${usedFor.join(', ')}`),
  );
  const offsets = watchClockOffsets();
  try {
    const found = await Promise.all([
      ...config.destinations.map((destination) => connectionFindings(destination, egress)),
      ...config.sources.map((source) => apiFindings(source, egress)),
    ]);
    return [...routes, ...found.flat(), ...clockFindings(offsets)];
  } finally {
    offsets.stop();
  }
}

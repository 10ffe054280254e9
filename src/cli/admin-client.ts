import { userInfo } from 'node:os';
import { failureOf } from '../adobe/failure.ts';
import { type AdminAddress, type AdminOptions, adminAddress } from './admin-address.ts';
import { CommandError, EXIT } from './command-error.ts';
import { printable } from './printable.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Speaks to the admin API. Every failure is a CommandError with one line for the operator. */
export interface AdminClient {
  /** @param path below /admin/v1, with its slash */
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  /** What the admin port answers without a token, whatever the status: /livez, /readyz, /metrics. */
  open(path: string): Promise<{ readonly status: number; readonly text: string }>;
}

/** Nobody answers at the address, or not in time; trying again may help. */
export class UnreachableError extends CommandError {
  override name = 'UnreachableError';
}

/** ms; an action over many events may take its time. */
const TIMEOUT = { GET: 30_000, POST: 600_000, PUT: 30_000 } as const;

type Method = keyof typeof TIMEOUT;

/** Who acts, for the relay's record of it: a note, not a proof. */
function operator(): string {
  try {
    return userInfo()
      .username.replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 64);
  } catch {
    // A container may run as a user that has no name.
    return '';
  }
}

function headersFor(token: string | undefined, hasBody: boolean): Record<string, string> {
  const name = operator();
  return {
    accept: 'application/json',
    ...(hasBody ? { 'content-type': 'application/json' } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(name === '' ? {} : { 'x-relay-operator': name }),
  };
}

function unreachable(url: string, error: unknown): UnreachableError {
  // What fetch throws says no more than that it failed; the cause says why.
  const { code, detail } = failureOf(error instanceof TypeError ? (error.cause ?? error) : error);
  const why = code === 'refused' ? 'the connection was refused' : detail;
  return new UnreachableError(
    `no relay answers at ${url}: ${why}. Is it running, and is this its admin port? Name it with --url or --config.`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One line of what a problem answer (RFC 9457) says. */
function refused(status: number, answer: object): CommandError {
  const { title, detail } = answer as { title?: unknown; detail?: unknown };
  const words = [title ?? `status ${status}`, detail].filter(Boolean).map(printable).join(': ');
  if (status === 401)
    return new CommandError(`${words}. Set RELAY_ADMIN_TOKEN, or give --token or --config.`);
  return new CommandError(words, status === 400 ? EXIT.usage : EXIT.failed);
}

async function read(response: Response, url: string): Promise<unknown> {
  const answer = parse(await response.text());
  if (typeof answer !== 'object' || answer === null)
    throw new CommandError(
      `${url} answered ${response.status} without JSON: this is not the admin port of a relay. Name it with --url.`,
    );
  if (!response.ok) throw refused(response.status, answer);
  return answer;
}

function targetOf(base: string, path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  const search = given.toString();
  return `${base}/admin/v1${path}${search === '' ? '' : `?${search}`}`;
}

/**
 * A client for the relay at this address.
 * @param timeouts ms for a whole answer
 */
export function createAdminClient(
  { url, token }: AdminAddress,
  timeouts: Readonly<Record<Method, number>> = TIMEOUT,
): AdminClient {
  const reach = async (target: string, request: RequestInit): Promise<Response> => {
    try {
      return await fetch(target, request);
    } catch (error) {
      throw unreachable(url, error);
    }
  };
  const ask = async (method: Method, target: string, body?: unknown): Promise<unknown> => {
    const request = {
      method,
      headers: headersFor(token, body !== undefined),
      signal: AbortSignal.timeout(timeouts[method]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return read(await reach(target, request), url);
  };
  return {
    open: async (path) => {
      const response = await reach(`${url}${path}`, { signal: AbortSignal.timeout(timeouts.GET) });
      return { status: response.status, text: await response.text() };
    },
    get: async <T>(path: string, query: Query = {}) => (await ask('GET', targetOf(url, path, query))) as T,
    post: async <T>(path: string, body?: unknown) => (await ask('POST', targetOf(url, path, {}), body)) as T,
    put: async <T>(path: string, body: unknown) => (await ask('PUT', targetOf(url, path, {}), body)) as T,
  };
}

/** A client for the relay that the options of a command name. */
export async function adminClient(options: AdminOptions): Promise<AdminClient> {
  return createAdminClient(await adminAddress(options));
}

/** Prints an answer as the API gave it. */
export function printJson(answer: unknown): void {
  console.log(JSON.stringify(answer, undefined, 2));
}

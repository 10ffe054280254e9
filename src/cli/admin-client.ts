import { userInfo } from 'node:os';
import { styleText } from 'node:util';
import { type Command, Option } from 'commander';
import { failureOf } from '../http/failure.ts';
import { type AddressOptions, type AdminAddress, adminAddress, DEFAULT_ADMIN_URL } from './admin-address.ts';
import { findConfigOption, isConfigNamed } from './command-config.ts';
import { CommandError, EXIT } from './command-error.ts';
import { toPrintable } from './table.ts';

/** Options of every command that uses the admin API. */
export interface AdminOptions extends AddressOptions {
  readonly json?: boolean;
}

/** Adds the options that select the relay. */
export function withAdminOptions(command: Command): Command {
  return command
    .option(
      '--url <url>',
      `URL of the relay's admin port (default: that of the configuration, else ${DEFAULT_ADMIN_URL})`,
    )
    .addOption(
      new Option(
        '--token <token>',
        'bearer token, instead of the one in the configuration; prefer the variable, which other users cannot see',
      ).env('RELAY_ADMIN_TOKEN'),
    )
    .addOption(findConfigOption('configuration with the admin address and token'))
    .option('--json', 'print the JSON answer of the admin API');
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** An answer that is not JSON. */
export interface Download {
  /** Its complete size. */
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Client of the admin API. Every failure is a CommandError with one line for the operator. */
export interface AdminClient {
  /** @param path below /admin/v1, with its slash */
  get<T>(path: string, query?: Query): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  /** Posts, and reads an answer of any size as it arrives. */
  download(path: string): Promise<Download>;
  /** Requests a path that needs no token and accepts any status: /livez, /readyz, /metrics. */
  getPublic(path: string): Promise<{ readonly status: number; readonly text: string }>;
}

/** The address does not answer, or not in time; a retry may help. */
export class UnreachableError extends CommandError {
  override name = 'UnreachableError';
  /** Without the address and the advice. */
  readonly summary: string;

  constructor(url: string, reason: string) {
    super(
      `no relay answers at ${url}: ${reason}. Is it running, and is this its admin port? Set it with --url or --config.`,
    );
    this.summary = `no relay answers: ${reason}`;
  }
}

/** The relay answered that it has no such thing. */
export class NotFoundError extends CommandError {
  override name = 'NotFoundError';
}

/** An action on many events may take minutes. */
const TIMEOUT_MS = { GET: 30_000, POST: 600_000, PUT: 30_000 } as const;

type Method = keyof typeof TIMEOUT_MS;

/** Name of the operator for the history of events: informational, not authenticated. */
function operatorName(): string {
  try {
    return userInfo()
      .username.replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 64);
  } catch {
    // A container may run as a user without a name.
    return '';
  }
}

function headersFor(token: string | undefined, hasBody: boolean): Record<string, string> {
  const name = operatorName();
  return {
    accept: 'application/json',
    ...(hasBody ? { 'content-type': 'application/json' } : {}),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(name === '' ? {} : { 'x-relay-operator': name }),
  };
}

/** `fetch` connects to no port of mail and other old protocols; its error only says `bad port`. */
function isForbiddenPort(error: unknown): boolean {
  return error instanceof TypeError && error.cause instanceof Error && error.cause.message === 'bad port';
}

function unreachableError(url: string, error: unknown): UnreachableError {
  if (isForbiddenPort(error))
    return new UnreachableError(
      url,
      `port ${new URL(url).port || '80'} is reserved for another protocol, so no request was sent`,
    );
  // The TypeError that fetch throws only says that it failed; its cause says why.
  const { code, detail } = failureOf(error instanceof TypeError ? (error.cause ?? error) : error);
  const reason = code === 'refused' ? 'the connection was refused' : detail;
  return new UnreachableError(url, reason);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What to do about a 401, whether a wrong token was sent or none. */
function tokenHint({ tokenFrom, withheldFrom }: AdminAddress): string {
  if (tokenFrom !== undefined) return `The token that was sent is from ${tokenFrom}.`;
  return withheldFrom === undefined
    ? 'Set RELAY_ADMIN_TOKEN, or pass --token or --config.'
    : `The token of ${withheldFrom} was not sent, because --url is another address than that file has: pass --config ${withheldFrom} to send it, or --token.`;
}

/** The relay refused the request. `answer` is its problem document. */
export class AnswerError extends CommandError {
  override name = 'AnswerError';
  readonly status: number;
  readonly answer: object;

  constructor(message: string, status: number, answer: object) {
    super(message, status === 400 || status === 422 ? EXIT.usage : EXIT.failed);
    this.status = status;
    this.answer = answer;
  }
}

/** A problem answer (RFC 9457) as one line. */
function problemError(status: number, answer: object, address: AdminAddress): CommandError {
  const { title, detail } = answer as { title?: unknown; detail?: unknown };
  const text = [title ?? `status ${status}`, detail].filter(Boolean).map(toPrintable).join(': ');
  if (status === 404) return new NotFoundError(text);
  return new AnswerError(status === 401 ? `${text}. ${tokenHint(address)}` : text, status, answer);
}

async function readAnswer(response: Response, address: AdminAddress): Promise<unknown> {
  const { url } = address;
  const answer = parseJson(await response.text());
  if (typeof answer !== 'object' || answer === null)
    throw new CommandError(
      `${url} answered ${response.status} without JSON: this is not the admin port of a relay. Set it with --url.`,
    );
  if (!response.ok) throw problemError(response.status, answer, address);
  return answer;
}

/** @throws UnreachableError if the connection ends early */
async function* readable(body: AsyncIterable<Uint8Array>, url: string): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw unreachableError(url, error);
  }
}

function targetUrl(base: string, path: string, query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  const search = params.toString();
  return `${base}/admin/v1${path}${search === '' ? '' : `?${search}`}`;
}

/**
 * Creates a client for the relay at this address.
 * @param timeoutsMs limit for a whole answer
 */
export function createAdminClient(
  address: AdminAddress,
  timeoutsMs: Readonly<Record<Method, number>> = TIMEOUT_MS,
): AdminClient {
  const { url, token } = address;
  const send = async (target: string, request: RequestInit): Promise<Response> => {
    try {
      return await fetch(target, request);
    } catch (error) {
      throw unreachableError(url, error);
    }
  };
  const call = async (method: Method, target: string, body?: unknown): Promise<unknown> => {
    const request = {
      method,
      headers: headersFor(token, body !== undefined),
      signal: AbortSignal.timeout(timeoutsMs[method]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return readAnswer(await send(target, request), address);
  };
  return {
    getPublic: async (path) => {
      const response = await send(`${url}${path}`, { signal: AbortSignal.timeout(timeoutsMs.GET) });
      return { status: response.status, text: await response.text() };
    },
    get: async <T>(path: string, query: Query = {}) => (await call('GET', targetUrl(url, path, query))) as T,
    post: async <T>(path: string, body?: unknown) =>
      (await call('POST', targetUrl(url, path, {}), body)) as T,
    put: async <T>(path: string, body: unknown) => (await call('PUT', targetUrl(url, path, {}), body)) as T,
    download: async (path) => {
      const request = { method: 'POST', headers: { ...headersFor(token, false), accept: '*/*' } };
      const response = await send(targetUrl(url, path, {}), request);
      if (!response.ok || response.body === null) await readAnswer(response, address);
      const content = response.body ?? new ReadableStream<Uint8Array>();
      return { bytes: Number(response.headers.get('content-length')), content: readable(content, url) };
    },
  };
}

/**
 * Several relays may run on one machine: tells a person which one was found, unless it was named
 * or the output is for a program.
 */
function noteAddress(url: string, { url: given, config, json }: AdminOptions): void {
  const isNamed = given !== undefined || isConfigNamed(config);
  if (isNamed || json === true || !process.stderr.isTTY) return;
  console.error(styleText('dim', `relay at ${url}`, { stream: process.stderr }));
}

/** Creates a client for the relay that the options of a command select. */
export async function adminClient(options: AdminOptions): Promise<AdminClient> {
  const address = await adminAddress(options);
  noteAddress(address.url, options);
  return createAdminClient(address);
}

/** Prints an answer as the API sent it. */
export function printJson(answer: unknown): void {
  console.log(JSON.stringify(answer, undefined, 2));
}

import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw, type InputType } from 'node:zlib';
import { readBodyText, toStoredBody } from '../capillary/body-text.ts';
import { parseJsonText } from '../capillary/json.ts';

/** The bytes without content codings, or why there are none. */
export type Inflated =
  | { readonly outcome: 'inflated'; readonly body: Buffer }
  /** Not JSON, and not what its Content-Encoding says. `detail` has no content of the request. */
  | { readonly outcome: 'unreadable'; readonly detail: string }
  /** More bytes than the limit would come out. */
  | { readonly outcome: 'too-large' };

/** Codings of one request. Real ones have one; each is inflated within the limit. */
const MAX_CODINGS = 3;

type Inflate = (body: InputType, options: { maxOutputLength: number }) => Promise<Buffer>;

const GZIP: readonly Inflate[] = [promisify(gunzip)];
const BROTLI: readonly Inflate[] = [promisify(brotliDecompress)];
const RAW_DEFLATE: readonly Inflate[] = [promisify(inflateRaw)];
/** RFC 9110 means the zlib format; some senders leave its header out. */
const DEFLATE: readonly Inflate[] = [promisify(inflate), ...RAW_DEFLATE];

const CODINGS: ReadonlyMap<string, readonly Inflate[]> = new Map([
  ['gzip', GZIP],
  ['x-gzip', GZIP],
  ['deflate', DEFLATE],
  ['br', BROTLI],
]);
const SUPPORTED = 'gzip, deflate and br are supported';

/** First bytes of JSON objects, arrays and strings, also after spaces or in UTF-16. */
const JSON_STARTS = new Set([0x7b, 0x5b, 0x22, 0x20, 0x09, 0x0a, 0x0d, 0xef, 0xfe, 0xff, 0x00]);
const NO_BODY = { outcome: 'unreadable', detail: 'the body is empty' } as const;

/** True if the body can be JSON as it is. */
function startsLikeJson(body: Uint8Array): boolean {
  return JSON_STARTS.has(body[0] ?? 0);
}

/**
 * The codings that a Content-Encoding header names, in the order in which they were applied;
 * `identity` is none.
 */
function codingsOf(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  return header
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
}

/**
 * Whether a body may be compressed: by its header, or because it cannot be JSON. Runs for every
 * webhook.
 */
export function isCoded(body: Uint8Array, header: string | undefined): boolean {
  return header === undefined ? !startsLikeJson(body) : codingsOf(header).length > 0 || !startsLikeJson(body);
}

/**
 * Removes the content codings of a body. A body that is not what its header says is taken as it is
 * if it can be JSON: some proxies inflate a body and leave the header. One without a header is
 * recognised by what it contains. Refusing either would lose the event
 * (docs/platforms/capillary.md#answers-and-repeats).
 * @param limit maximum size of the result, and of each step to it, in bytes
 */
export async function inflateBody(
  body: Buffer,
  header: string | undefined,
  limit: number,
): Promise<Inflated> {
  const codings = codingsOf(header);
  const declared = await inflateDeclared(body, codings, limit);
  if (declared !== undefined && declared.outcome !== 'unreadable') return declared;
  if (startsLikeJson(body)) return { outcome: 'inflated', body };
  const guessed = await inflateUndeclared(body, limit);
  return guessed ?? declared ?? { outcome: 'inflated', body };
}

/** Undefined if the request declares no coding. */
async function inflateDeclared(
  body: Buffer,
  codings: readonly string[],
  limit: number,
): Promise<Inflated | undefined> {
  if (codings.length === 0) return undefined;
  if (codings.length > MAX_CODINGS) return unreadable(`it has more than ${MAX_CODINGS} codings`);
  let result: Inflated = { outcome: 'inflated', body };
  for (const name of codings.toReversed()) {
    if (result.outcome !== 'inflated') return result;
    const candidates = CODINGS.get(name);
    if (candidates === undefined) return unreadable(`its Content-Encoding is unknown; ${SUPPORTED}`);
    result = await tryAll(candidates, result.body, limit);
  }
  return result;
}

/**
 * A compressed body without a header. Undefined if it does not become JSON: raw deflate and Brotli
 * have no signature, so that any bytes can seem to be one of them.
 */
export async function inflateUndeclared(body: Buffer, limit: number): Promise<Inflated | undefined> {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  const candidates = isGzip ? GZIP : [...DEFLATE, ...BROTLI];
  for (const candidate of candidates) {
    const result = await tryAll([candidate], body, limit);
    if (result.outcome === 'too-large' && isGzip) return result;
    if (result.outcome === 'inflated' && isJson(result.body)) return result;
  }
  return undefined;
}

function isJson(body: Uint8Array): boolean {
  const parsed = parseJsonText(readBodyText(toStoredBody(body, undefined)).text);
  return parsed.ok || parsed.code === 'too-deep';
}

/** The first candidate that can read the body. */
async function tryAll(candidates: readonly Inflate[], body: Buffer, limit: number): Promise<Inflated> {
  if (body.length === 0) return NO_BODY;
  for (const candidate of candidates) {
    try {
      return { outcome: 'inflated', body: await candidate(body, { maxOutputLength: limit }) };
    } catch (error) {
      if (isTooLarge(error)) return { outcome: 'too-large' };
    }
  }
  return unreadable('it is not what its Content-Encoding says, or it is cut off');
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}

function unreadable(detail: string): Inflated {
  return { outcome: 'unreadable', detail };
}

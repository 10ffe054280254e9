import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isJsonObject, type JsonValue } from '../../../capillary/json.ts';
import { type Answer, respond } from '../../adobe/exchange.ts';
import { countRequest, type SimulatorState } from '../../adobe/simulator-state.ts';
import {
  apiError,
  failure,
  tooManyCalls,
  unauthorized,
  unparsable,
  v3Answer,
  versionOf,
} from './api-answers.ts';
import type { CapillaryCall, CapillaryRoute } from './api-route.ts';
import type { ApiCaller, TokenCheck } from './api-tokens.ts';
import type { CapillaryTwin } from './capillary-twin.ts';

const TOKEN_HEADER = 'x-cap-api-oauth-token';
const TOKEN_PATH = '/v3/oauth/token/generate';

/** A request as the gateway sees it. */
interface GatewayRequest {
  readonly state: SimulatorState;
  readonly twin: CapillaryTwin;
  readonly raw: FastifyRequest;
  readonly reply: FastifyReply;
  readonly requestId: string;
  /** Method and path of the route, for the counts. */
  readonly route: string;
}

interface Outcome {
  readonly produce: (lands: boolean) => Answer;
}

function textOf({ raw }: GatewayRequest): string {
  return Buffer.isBuffer(raw.body) ? raw.body.toString() : '';
}

/** The parsed body; undefined without one. */
function readBody(request: GatewayRequest): { readonly body: JsonValue | undefined } | undefined {
  const text = textOf(request);
  try {
    return { body: text.trim() === '' ? undefined : (JSON.parse(text) as JsonValue) };
  } catch {
    return undefined;
  }
}

/** The client that the body names, or the refusal (docs/platforms/capillary.md#api-access). */
function readClient(
  body: JsonValue | undefined,
  { tokens }: CapillaryTwin,
): { readonly caller: ApiCaller } | { readonly refusal: Answer } {
  if (!isJsonObject(body)) return { refusal: unparsable('v3') };
  const caller = tokens.clientOf(body.key, body.secret);
  if (caller) return { caller };
  return { refusal: apiError('v3', 401, 401, 'Invalid key or secret') };
}

/** A token for the client; with `lands: false` one that no call accepts. */
function tokenAnswer(caller: ApiCaller, { tokens, settings }: CapillaryTwin, lands: boolean): Answer {
  const accessToken = tokens.generate(caller, lands);
  return v3Answer({ accessToken, ttlSeconds: settings.tokenTtlSeconds });
}

function pathOf({ raw }: GatewayRequest): string {
  return raw.url.split('?')[0] ?? raw.url;
}

/** With the time of the twin's clock. */
function withGatewayHeaders(answer: Answer, { state, requestId }: GatewayRequest): Answer {
  const date = new Date(state.settings.now()).toUTCString();
  return { ...answer, headers: { date, 'x-cap-request-id': requestId, ...answer.headers } };
}

function count({ state, twin, route }: GatewayRequest, outcome: string): void {
  twin.countCall(route, outcome);
  countRequest(state.counters(), 'capillary', outcome);
  state.changes.emit('change');
}

/** Answers without a fault: the gateway itself refuses the call. */
async function refuse(request: GatewayRequest, answer: Answer): Promise<void> {
  count(request, String(answer.status));
  const { status, headers, body } = withGatewayHeaders(answer, request);
  await request.reply.code(status).headers(headers).send(body);
}

/** Answers a call that the gateway lets through, with a fault if one fires. */
async function answerCall(request: GatewayRequest, { produce }: Outcome): Promise<void> {
  const { state, raw } = request;
  const path = pathOf(request);
  const message = { id: undefined, flowId: undefined, value: textOf(request) };
  const fault = state.faults.next({ endpoint: 'capillary', method: raw.method, path, messages: [message] });
  await respond(
    request.reply,
    {
      produce: (lands) => withGatewayHeaders(produce(lands), request),
      refuse: (status, text) => withGatewayHeaders(failure(versionOf(path), status, text), request),
      onEnd: (outcome) => count(request, outcome),
    },
    fault?.action,
  );
}

/** Why the token is refused; undefined if it is valid. */
function tokenProblem(
  check: TokenCheck,
  route: CapillaryRoute | undefined,
  path: string,
): Answer | undefined {
  if (check.state === 'valid') return undefined;
  if (check.state === 'expired' && route?.expiredStatus) return failure(versionOf(path), route.expiredStatus);
  return unauthorized(versionOf(path));
}

function mayCall({ access }: ApiCaller, route: CapillaryRoute): boolean {
  if (access === undefined || route.access === undefined) return true;
  const given = access[route.access.resource] ?? [];
  return route.access.rights.every((right) => given.includes(right));
}

/** A write that a fault prevents has no effect, and its answer has no data. */
function answerOf(route: CapillaryRoute, call: CapillaryCall, lands: boolean): Answer {
  return lands || route.method === 'GET' ? route.answer(call) : v3Answer({});
}

/** Token, rate limit, access group and body, in this order; then the route. */
async function answerRoute(request: GatewayRequest, route: CapillaryRoute | undefined): Promise<void> {
  const { twin, raw, state } = request;
  const path = pathOf(request);
  const version = versionOf(path);
  const header = raw.headers[TOKEN_HEADER];
  const check = twin.tokens.check(typeof header === 'string' ? header : undefined);
  const problem = tokenProblem(check, route, path);
  if (problem || check.state !== 'valid') return refuse(request, problem ?? unauthorized(version));
  const { caller } = check;
  if (!twin.limit.take(caller.key)) return refuse(request, tooManyCalls());
  if (!route) return refuse(request, failure(version, 404, 'Resource not found'));
  if (!mayCall(caller, route)) return refuse(request, failure(version, 403));
  const read = readBody(request);
  if (!read) return refuse(request, unparsable(version));
  const call = {
    twin,
    caller,
    params: raw.params as Readonly<Record<string, string>>,
    query: new URLSearchParams(raw.url.split('?')[1] ?? ''),
    headers: raw.headers,
    body: read.body,
    requestId: request.requestId,
    now: state.settings.now(),
  };
  return answerCall(request, { produce: (lands) => answerOf(route, call, lands) });
}

async function answerToken(request: GatewayRequest): Promise<void> {
  const { twin } = request;
  const read = readClient(readBody(request)?.body, twin);
  if ('refusal' in read) return refuse(request, read.refusal);
  if (!twin.limit.take(read.caller.key)) return refuse(request, tooManyCalls());
  return answerCall(request, { produce: (lands) => tokenAnswer(read.caller, twin, lands) });
}

const UNKNOWN_PATHS = ['/v1.1/*', '/v2/*', '/v3/*'];

/**
 * The simulated REST API of Capillary. Every answer has `X-CAP-REQUEST-ID`. Faults apply only to
 * calls that the gateway lets through.
 */
export function registerCapillary(
  app: FastifyInstance,
  state: SimulatorState,
  routes: readonly CapillaryRoute[],
): void {
  const twin = state.capillary;
  const requestOf = (raw: FastifyRequest, reply: FastifyReply, path: string): GatewayRequest => ({
    state,
    twin,
    raw,
    reply,
    requestId: randomBytes(16).toString('hex'),
    route: `${raw.method} ${path}`,
  });
  app.post(TOKEN_PATH, async (raw, reply) => {
    await answerToken(requestOf(raw, reply, TOKEN_PATH));
    return reply;
  });
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.path,
      exposeHeadRoute: false,
      handler: async (raw, reply) => {
        await answerRoute(requestOf(raw, reply, route.path), route);
        return reply;
      },
    });
  }
  for (const path of UNKNOWN_PATHS) {
    app.all(path, async (raw, reply) => {
      await answerRoute(requestOf(raw, reply, path), undefined);
      return reply;
    });
  }
}

import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { JsonValue } from '../../../capillary/json.ts';
import { type Answer, jsonAnswer, respond } from '../exchange.ts';
import { countRequest, type SimulatorState } from '../simulator-state.ts';
import { FLOW_SERVICE, flowSandboxProblem } from './flow-problem.ts';
import { gatewayError, gatewayFailure, permissionProblem, problem } from './platform-errors.ts';
import type { Permission } from './permissions.ts';
import type { PlatformCall, PlatformRoute } from './platform-route.ts';
import type { Sandbox } from './sandbox.ts';

/** A valid call, or the answer that refuses it. */
type Admission<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly answer: Answer };

function refused(answer: Answer): { readonly ok: false; readonly answer: Answer } {
  return { ok: false, answer };
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The client of a valid token whose API key is right. */
function admitClient(headers: IncomingHttpHeaders, state: SimulatorState): Admission<string> {
  const apiKey = headerOf(headers, 'x-api-key');
  if (apiKey === undefined) return refused(gatewayError('403000'));
  const [, token] = /^bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) return refused(gatewayError('403010'));
  const client = state.tokens.state(token) === 'valid' ? state.tokens.client(token) : undefined;
  if (client === undefined) return refused(gatewayError('401013'));
  return apiKey === client ? { ok: true, value: client } : refused(gatewayError('403003'));
}

/** A client without a product profile, or of another organisation: the answer is the same. */
function organisationProblem(
  headers: IncomingHttpHeaders,
  client: string,
  state: SimulatorState,
): Answer | undefined {
  const given = headerOf(headers, 'x-gw-ims-org-id');
  if (given === undefined) return gatewayError('400003');
  const { imsOrgId } = state.platform.settings;
  const isOrg = imsOrgId === undefined ? /^[^@\s]+@AdobeOrg$/.test(given) : given === imsOrgId;
  return isOrg && state.platform.access(client) !== 'none' ? undefined : gatewayError('403025');
}

function admitSandbox(
  headers: IncomingHttpHeaders,
  route: PlatformRoute,
  state: SimulatorState,
): Admission<Sandbox> {
  const name = headerOf(headers, 'x-sandbox-name');
  const sandbox = name === undefined ? undefined : state.platform.sandbox(name);
  if (route.path.startsWith(FLOW_SERVICE)) {
    const answer = flowSandboxProblem(name, sandbox !== undefined, 'x-sandbox-id' in headers);
    if (answer) return refused(answer);
  }
  if (name === undefined) {
    return refused(problem(400, 'Bad Request', 'The header x-sandbox-name is missing.'));
  }
  if (sandbox) return { ok: true, value: sandbox };
  return refused(
    problem(403, 'Forbidden', `The sandbox ${name} does not exist or you do not have access to it.`),
  );
}

function textOf({ body }: FastifyRequest): string {
  return Buffer.isBuffer(body) ? body.toString() : '';
}

/** A permission to manage includes the one to view (docs/platforms/adobe.md#permissions). */
function isGranted(permission: Permission, access: readonly Permission[]): boolean {
  const managing = permission.replace(/^View /, 'Manage ');
  return access.some((granted) => granted === permission || granted === managing);
}

const IS_WRITE = /^(POST|PUT|PATCH)$/;

function admitBody(request: FastifyRequest): Admission<JsonValue | undefined> {
  // Actions are POSTs without a body.
  const isEmpty = textOf(request) === '' && request.headers['content-type'] === undefined;
  if (isEmpty || !IS_WRITE.test(request.method)) return { ok: true, value: undefined };
  if (!/^application\/(\w+\+|[\w.-]+\+)?json\b/.test(request.headers['content-type'] ?? '')) {
    return refused(problem(415, 'Unsupported Media Type', 'The Content-Type must be application/json.'));
  }
  try {
    return { ok: true, value: JSON.parse(textOf(request)) as JsonValue };
  } catch {
    return refused(problem(400, 'Bad Request', 'The request body is not valid JSON.'));
  }
}

/** Everything that the gateway and each service check before the call itself, in that order. */
function admitCall(
  request: FastifyRequest,
  route: PlatformRoute,
  state: SimulatorState,
): Admission<PlatformCall> {
  const { headers } = request;
  const client = admitClient(headers, state);
  if (!client.ok) return client;
  const organisation = organisationProblem(headers, client.value, state);
  if (organisation) return refused(organisation);
  const sandbox = admitSandbox(headers, route, state);
  if (!sandbox.ok) return sandbox;
  const access = state.platform.access(client.value);
  const { permission } = route;
  if (permission !== undefined && Array.isArray(access) && !isGranted(permission, access)) {
    return refused(permissionProblem(permission));
  }
  const body = admitBody(request);
  if (!body.ok) return body;
  return {
    ok: true,
    value: {
      state,
      sandbox: sandbox.value,
      params: request.params as Readonly<Record<string, string>>,
      query: new URLSearchParams(request.url.split('?')[1] ?? ''),
      headers,
      body: body.value,
      now: state.settings.now(),
    },
  };
}

/** A write that a fault prevents has no effect, and its answer is `{}`. */
function answerCall(call: PlatformCall, route: PlatformRoute, lands: boolean): Answer {
  return lands || route.method === 'GET' ? route.answer(call) : jsonAnswer(200, {});
}

/** Faults apply only to calls that the gateway lets through. */
async function handle(
  request: FastifyRequest,
  reply: FastifyReply,
  route: PlatformRoute,
  state: SimulatorState,
): Promise<FastifyReply> {
  const admitted = admitCall(request, route, state);
  const [path = ''] = request.url.split('?');
  const message = { id: undefined, flowId: undefined, value: textOf(request) };
  const fault = admitted.ok
    ? state.faults.next({ endpoint: 'platform', method: request.method, path, messages: [message] })
    : undefined;
  const own = { 'x-request-id': randomUUID(), date: new Date(state.settings.now()).toUTCString() };
  const identified = (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, ...own } });
  await respond(
    reply,
    {
      produce: (lands) =>
        identified(admitted.ok ? answerCall(admitted.value, route, lands) : admitted.answer),
      refuse: (status, text) => identified(gatewayFailure(status, text)),
      onEnd: (outcome) => {
        countRequest(state.counters(), 'platform', outcome);
        state.changes.emit('change');
      },
    },
    fault?.action,
  );
  return reply;
}

const NO_ROUTE: PlatformRoute = {
  method: 'GET',
  path: '/data/*',
  answer: () => gatewayError('404040'),
};

/** Registers routes of platform.adobe.io behind its gateway. */
export function registerRoutes(
  app: FastifyInstance,
  routes: readonly PlatformRoute[],
  state: SimulatorState,
): void {
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.path,
      exposeHeadRoute: false,
      handler: (request, reply) => handle(request, reply, route, state),
    });
  }
  app.all(NO_ROUTE.path, (request, reply) => handle(request, reply, NO_ROUTE, state));
}

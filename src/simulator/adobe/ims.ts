import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Answer, jsonAnswer, respond } from './exchange.ts';
import { countRequest, type SimulatorState } from './simulator-state.ts';

/** Unit of `expires_in` by path (docs/platforms/adobe.md#token-endpoints). */
const UNITS = {
  '/ims/token': 'ms',
  '/ims/token/v1': 'ms',
  '/ims/token/v2': 's',
  '/ims/token/v3': 's',
} as const;

/** Adobe's tokens arrive a few ms old: 86399994 of 86400000 ms are left, which is 86399 s. */
const TOKEN_AGE_MS = 6;

function imsAnswer(status: number, body: unknown): Answer {
  return jsonAnswer(status, body, { 'x-debug-id': randomUUID() });
}

function badRequest(error: string, description: string): Answer {
  return imsAnswer(400, { error, error_description: description });
}

const SCRIPTED_ERRORS: Readonly<Record<number, string>> = { 400: 'invalid_client', 429: 'too_many_requests' };
function scriptedFailure(status: number): Answer {
  return imsAnswer(status, {
    error: SCRIPTED_ERRORS[status] ?? 'server_error',
    error_description: 'scripted by the simulator',
  });
}

/**
 * The form parameters; IMS also accepts query parameters (docs/platforms/adobe.md#token-request).
 */
function readForm(request: FastifyRequest): URLSearchParams {
  const form = new URLSearchParams(request.url.split('?')[1] ?? '');
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  if (isForm && Buffer.isBuffer(request.body)) {
    for (const [name, value] of new URLSearchParams(request.body.toString())) form.set(name, value);
  }
  return form;
}

function scopesOf(form: URLSearchParams): string[] {
  return (form.get('scope') ?? '').split(/[\s,]+/).filter((scope) => scope !== '');
}

/**
 * IMS's answer to an invalid request (docs/platforms/adobe.md#token-errors); undefined for a valid
 * one.
 */
function requestProblem(form: URLSearchParams, { settings }: SimulatorState): Answer | undefined {
  const missing = ['grant_type', 'client_id', 'client_secret'].find((name) => !form.get(name));
  if (missing) return badRequest('invalid_request', `missing parameter ${missing}`);
  const credential = settings.credentials?.find(({ clientId }) => clientId === form.get('client_id'));
  if (settings.credentials && !credential) return badRequest('invalid_client', 'invalid client_id parameter');
  if (credential && !credential.secrets.includes(form.get('client_secret') ?? '')) {
    return badRequest('invalid_client', 'invalid client_secret parameter');
  }
  if (form.get('grant_type') !== 'client_credentials') {
    return badRequest('unauthorized_client', 'the client may not use this grant_type');
  }
  const scopes = scopesOf(form);
  const isKnown = (scope: string): boolean =>
    credential?.scopes?.includes(scope) ?? /^[A-Za-z0-9_.]+$/.test(scope);
  if (scopes.length === 0 || !scopes.every(isKnown)) {
    return badRequest('invalid_scope', 'a scope is missing or not allowed for the client');
  }
  return undefined;
}

function mint(form: URLSearchParams, unit: 'ms' | 's', state: SimulatorState, lands: boolean): Answer {
  const token = state.tokens.mint(form.get('client_id') ?? '', scopesOf(form).join(','), lands);
  if (lands) state.counters().mints += 1;
  const ms = Math.max(0, state.settings.tokenTtlMs - TOKEN_AGE_MS);
  return imsAnswer(200, {
    access_token: token,
    token_type: 'bearer',
    expires_in: unit === 'ms' ? ms : Math.floor(ms / 1_000),
  });
}

/**
 * The simulated IMS for client credentials. Faults apply only to requests that would get a token.
 */
export function registerIms(app: FastifyInstance, state: SimulatorState): void {
  for (const [path, unit] of Object.entries(UNITS)) {
    app.post(path, async (request, reply) => {
      const form = readForm(request);
      const problem = requestProblem(form, state);
      const message = { id: undefined, flowId: undefined, value: form.toString() };
      const fault = problem ? undefined : state.faults.next({ endpoint: 'ims', messages: [message] });
      await respond(
        reply,
        {
          produce: (lands) => problem ?? mint(form, unit, state, lands),
          refuse: scriptedFailure,
          onEnd: (outcome) => {
            countRequest(state.counters(), 'ims', outcome);
            state.changes.emit('change');
          },
        },
        fault?.action,
      );
      return reply;
    });
  }
}

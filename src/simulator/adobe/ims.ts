import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Answer, conclude, jsonAnswer } from './exchange.ts';
import { countRequest, type SimulatorState } from './simulator-state.ts';

/** Unit of `expires_in` by path (reference: adobe.md §1.1). */
const UNITS = {
  '/ims/token': 'ms',
  '/ims/token/v1': 'ms',
  '/ims/token/v2': 's',
  '/ims/token/v3': 's',
} as const;

/** Adobe's tokens lack a few ms of their full life when they arrive: 86399994 of 86400000, and so 86399 seconds. */
const ISSUING_MS = 6;

function answer(status: number, body: unknown): Answer {
  return jsonAnswer(status, body, { 'x-debug-id': randomUUID() });
}

function refusal(error: string, description: string): Answer {
  return answer(400, { error, error_description: description });
}

const FAULTS: Readonly<Record<number, string>> = { 400: 'invalid_client', 429: 'too_many_requests' };
function failure(status: number): Answer {
  return answer(status, {
    error: FAULTS[status] ?? 'server_error',
    error_description: 'scripted by the simulator',
  });
}

/** The form; IMS takes parameters of the query too (reference: adobe.md §1.2). */
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

/** What is wrong with the request, in the words of reference adobe.md §1.4; undefined when a token is due. */
function problemOf(form: URLSearchParams, { settings }: SimulatorState): Answer | undefined {
  const missing = ['grant_type', 'client_id', 'client_secret'].find((name) => !form.get(name));
  if (missing) return refusal('invalid_request', `missing parameter ${missing}`);
  const credential = settings.credentials?.find(({ clientId }) => clientId === form.get('client_id'));
  if (settings.credentials && !credential) return refusal('invalid_client', 'invalid client_id parameter');
  if (credential && !credential.secrets.includes(form.get('client_secret') ?? '')) {
    return refusal('invalid_client', 'invalid client_secret parameter');
  }
  if (form.get('grant_type') !== 'client_credentials') {
    return refusal('unauthorized_client', 'the client may not use this grant_type');
  }
  const scopes = scopesOf(form);
  const isKnown = (scope: string): boolean =>
    credential?.scopes?.includes(scope) ?? /^[A-Za-z0-9_.]+$/.test(scope);
  if (scopes.length === 0 || !scopes.every(isKnown)) {
    return refusal('invalid_scope', 'a scope is missing or not allowed for the client');
  }
  return undefined;
}

function mint(form: URLSearchParams, unit: 'ms' | 's', state: SimulatorState, lands: boolean): Answer {
  const token = state.tokens.mint(form.get('client_id') ?? '', scopesOf(form).join(','), lands);
  if (lands) state.counters().mints += 1;
  const ms = Math.max(0, state.settings.tokenTtlMs - ISSUING_MS);
  return answer(200, {
    access_token: token,
    token_type: 'bearer',
    expires_in: unit === 'ms' ? ms : Math.floor(ms / 1_000),
  });
}

/** The simulated IMS: client-credentials tokens. Faults only meet requests that would have got a token. */
export function registerIms(app: FastifyInstance, state: SimulatorState): void {
  for (const [path, unit] of Object.entries(UNITS)) {
    app.post(path, async (request, reply) => {
      const form = readForm(request);
      const problem = problemOf(form, state);
      const message = { id: undefined, flowId: undefined, value: form.toString() };
      const fault = problem ? undefined : state.faults.next({ endpoint: 'ims', messages: [message] });
      await conclude(
        reply,
        {
          produce: (lands) => problem ?? mint(form, unit, state, lands),
          refuse: failure,
          ended: (how) => {
            countRequest(state.counters(), 'ims', how);
            state.changes.emit('change');
          },
        },
        fault?.action,
      );
      return reply;
    });
  }
}

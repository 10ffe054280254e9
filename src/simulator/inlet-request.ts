import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject } from '../capillary/json.ts';
import type { Answer } from './answer.ts';
import type { EnvelopeContext } from './envelope.ts';
import { authorizationProblem, inletProblem } from './inlet-problem.ts';
import type { SimulatorSettings } from './simulator-options.ts';
import type { SimulatorState } from './simulator-state.ts';

/**
 * Adobe says 1 MB without saying of which M (reference: adobe.md §3). The smaller reading is used: who stays under it
 * is right either way, and who counts on 1 048 576 is found out here.
 */
export const MAX_REQUEST_BYTES = 1_000_000;

/** A request as it came to the inlet. */
export interface InletRequest {
  readonly endpoint: 'batch' | 'single';
  readonly inletId: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** The messages of a good request, unopened, or the answer that refuses it as a whole. */
export type ReadRequest =
  | { readonly ok: true; readonly messages: readonly unknown[] }
  | { readonly ok: false; readonly answer: Answer };

function refused(answer: Answer): ReadRequest {
  return { ok: false, answer };
}

function tokenProblem({ headers, inletId }: InletRequest, state: SimulatorState): Answer | undefined {
  if (!state.settings.requireAuth) return undefined;
  const [, token] = /^bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) return authorizationProblem(inletId, 'Ims service token is empty');
  const tokenState = state.tokens.state(token);
  if (tokenState === 'alive') return undefined;
  return authorizationProblem(
    inletId,
    tokenState === 'expired' ? 'Ims service token has expired' : 'Ims service token is not valid',
  );
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** Checks everything that concerns the request as a whole, in the order a gateway would. */
export function readInletRequest(request: InletRequest, state: SimulatorState): ReadRequest {
  const { inlets } = state.settings;
  if (inlets && !inlets.some(({ id }) => id === request.inletId)) {
    return refused(inletProblem(404, `inletId: [${request.inletId}] does not exist`));
  }
  const problem = tokenProblem(request, state);
  if (problem) return refused(problem);
  if (!request.headers['content-type']?.startsWith('application/json')) {
    return refused(inletProblem(415, 'Content-Type must be application/json'));
  }
  if (request.body.length > MAX_REQUEST_BYTES) {
    return refused(inletProblem(413, `the request is over ${MAX_REQUEST_BYTES} bytes`));
  }
  const value = parse(request.body);
  if (value === undefined) return refused(inletProblem(400, 'The request is not valid JSON'));
  if (request.endpoint === 'single') return { ok: true, messages: [value] };
  const messages = isJsonObject(value) ? value.messages : undefined;
  if (!Array.isArray(messages) || messages.length === 0) {
    return refused(inletProblem(400, "The 'messages' field is mandatory and must hold messages"));
  }
  return { ok: true, messages };
}

function headerText(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A header of one value, or the query parameter that may stand for it (reference: adobe.md §2.1). */
export function flowIdOf({ headers, query }: InletRequest): string | undefined {
  return headerText(headers['x-adobe-flow-id']) ?? query.get('x-adobe-flow-id') ?? undefined;
}

export function sandboxOf({ headers }: InletRequest): string | undefined {
  return headerText(headers['x-sandbox-name']);
}

/** What the envelopes of this request are held against. */
export function envelopeContext(request: InletRequest, settings: SimulatorSettings): EnvelopeContext {
  const inlet = settings.inlets?.find(({ id }) => id === request.inletId);
  const isRaw = (inlet?.dataType ?? settings.dataType) === 'raw';
  return {
    inletId: request.inletId,
    flowId: flowIdOf(request),
    imsOrgId: inlet?.imsOrgId,
    takesRaw: (datasetId) => isRaw || (datasetId !== undefined && settings.rawDatasets.includes(datasetId)),
  };
}

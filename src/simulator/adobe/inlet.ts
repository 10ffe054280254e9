import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, jsonAnswer, respond } from './exchange.ts';
import type { FiredFault } from './fault-script.ts';
import { batchAnswer, inletProblem, validationProblem } from './inlet-answer.ts';
import { type InletRequest, readInletRequest } from './inlet-request.ts';
import {
  decideOutcomes,
  landedRecord,
  type MessageOutcome,
  type OpenedRequest,
  openRequest,
  personKeys,
} from './opened-request.ts';
import { judgeRecord } from './platform/record-judge.ts';
import type { ProvisionedInlet } from './platform/sandbox.ts';
import type { PendingRecord } from './ingestion.ts';
import type { RecordVerdict } from './record-fate.ts';
import { recordViolations } from './record-violations.ts';
import { countRequest, type SimulatorState } from './simulator-state.ts';

function scriptedProblem(status: number, text = 'scripted by the simulator'): Answer {
  return inletProblem(status, text);
}

/** What will become of a message at an inlet that the platform API made. */
function verdictOn(
  { envelopes }: OpenedRequest,
  position: number,
  home: ProvisionedInlet,
  { settings }: SimulatorState,
): RecordVerdict | undefined {
  const envelope = envelopes[position];
  const { now, warmUpMs, profileLimits: limits } = settings;
  return envelope?.ok ? judgeRecord(envelope.message, home, { now: now(), warmUpMs, limits }) : undefined;
}

function landMessages(
  opened: OpenedRequest,
  outcomes: readonly MessageOutcome[],
  state: SimulatorState,
): void {
  const { settings, landed, profiles, ingestion } = state;
  const counters = state.counters();
  const { home } = opened.request;
  const pending: PendingRecord[] = [];
  for (const [position, { item, lands }] of outcomes.entries()) {
    if (!item.ok) counters.refused += 1;
    const verdict = home && lands ? verdictOn(opened, position, home, state) : undefined;
    const record = lands ? landedRecord(opened, position, { settings, verdict }) : undefined;
    if (!record) continue;
    const kept = landed.add(record);
    if (verdict) pending.push({ record: kept, verdict });
    else profiles.add(kept);
  }
  if (home) ingestion.accept(home.sandbox, pending);
  state.changes.emit('change');
}

function isSync({ endpoint, query }: InletRequest): boolean {
  return endpoint === 'single' && query.get('syncValidation') === 'true';
}

/**
 * `?syncValidation=true` validates before the answer, and a failing record is not stored
 * (docs/platforms/adobe.md#synchronous-validation).
 */
function syncProblem({ request, envelopes }: OpenedRequest, state: SimulatorState): Answer | undefined {
  const [envelope] = envelopes;
  if (!isSync(request) || !envelope?.ok || envelope.message.format !== 'xdm') return undefined;
  const { now, namespaces, warmUpMs } = state.settings;
  const violations = request.home
    ? judgeRecord(envelope.message, request.home, { now: now(), warmUpMs }).violations
    : recordViolations(envelope.message.entity, now(), namespaces);
  if (violations.length === 0) return undefined;
  return validationProblem(`inletId: [${request.inletId}] Message is invalid`, violations);
}

function singleAnswer(request: InletRequest, outcome: MessageOutcome | undefined, now: number): Answer {
  if (outcome?.item.ok === false) return inletProblem(outcome.item.status, outcome.item.message);
  return jsonAnswer(200, {
    inletId: request.inletId,
    xactionId: `${now}:2153:240`,
    receivedTimeMs: now,
    ...(isSync(request) ? { syncValidation: { status: 'pass' } } : {}),
  });
}

function accept(
  opened: OpenedRequest,
  fault: FiredFault | undefined,
  lands: boolean,
  state: SimulatorState,
): Answer {
  const problem = syncProblem(opened, state);
  if (problem) return problem;
  const outcomes = decideOutcomes(opened, fault);
  if (lands) landMessages(opened, outcomes, state);
  const { request } = opened;
  const now = state.settings.now();
  if (request.endpoint === 'single') return singleAnswer(request, outcomes[0], now);
  return batchAnswer(
    request.inletId,
    now,
    outcomes.map(({ item }) => item),
    fault,
  );
}

async function answerOpened(
  opened: OpenedRequest,
  reply: FastifyReply,
  state: SimulatorState,
): Promise<void> {
  const { endpoint } = opened.request;
  state.counters().messages += opened.envelopes.length;
  const fault = state.faults.next({ endpoint, messages: opened.faultMessages });
  const finish = state.inFlight.start(personKeys(opened));
  const onEnd = (outcome: string): void => {
    // A request is in flight until its answer is sent, a hanging one until it is closed.
    if (outcome !== 'hang') finish();
    countRequest(state.counters(), endpoint, outcome);
    state.changes.emit('change');
  };
  try {
    const produce = (lands: boolean): Answer => accept(opened, fault, lands, state);
    await respond(reply, { produce, refuse: scriptedProblem, onEnd }, fault?.action);
  } finally {
    finish();
  }
}

function requestOf(
  request: FastifyRequest,
  endpoint: InletRequest['endpoint'],
  { platform }: SimulatorState,
): InletRequest {
  const { inletId } = request.params as { inletId: string };
  return {
    endpoint,
    inletId,
    home: platform.inlet(inletId),
    headers: request.headers,
    query: new URLSearchParams(request.url.split('?')[1] ?? ''),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}

/** The simulated streaming inlet. Faults apply only to requests that are valid as a whole. */
export function registerInlet(app: FastifyInstance, state: SimulatorState): void {
  let requests = 0;
  const register = (path: string, endpoint: InletRequest['endpoint']): void => {
    app.post(path, async (raw, reply) => {
      requests += 1;
      const request = requestOf(raw, endpoint, state);
      const read = readInletRequest(request, state);
      if (read.ok) {
        await answerOpened(
          openRequest(request, `request-${requests}`, read.messages, state.settings),
          reply,
          state,
        );
      } else {
        countRequest(state.counters(), endpoint, String(read.answer.status));
        state.changes.emit('change');
        void reply.code(read.answer.status).headers(read.answer.headers).send(read.answer.body);
      }
      return reply;
    });
  };
  register('/collection/:inletId', 'single');
  register('/collection/batch/:inletId', 'batch');
}

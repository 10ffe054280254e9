import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answer, conclude, jsonAnswer } from './exchange.ts';
import { batchAnswer, inletProblem, validationProblem } from './inlet-answer.ts';
import {
  type Delivery,
  deliveryKeys,
  judge,
  type Judgement,
  landedRecord,
  openDelivery,
} from './opened-request.ts';
import type { FiredFault } from './fault-script.ts';
import { type InletRequest, readInletRequest } from './inlet-request.ts';
import { countRequest, type SimulatorState } from './simulator-state.ts';
import { recordViolations } from './record-violations.ts';

function scripted(status: number): Answer {
  return inletProblem(status, 'scripted by the simulator');
}

function land(delivery: Delivery, judgements: readonly Judgement[], state: SimulatorState): void {
  const counters = state.counters();
  for (const [position, { item, lands }] of judgements.entries()) {
    if (!item.ok) counters.refused += 1;
    const record = lands ? landedRecord(delivery, position, state.settings) : undefined;
    if (record) state.profiles.add(state.landed.add(record));
  }
  state.changes.emit('change');
}

function isSync({ endpoint, query }: InletRequest): boolean {
  return endpoint === 'single' && query.get('syncValidation') === 'true';
}

/** `?syncValidation=true`: validated while the sender waits; a failing record is kept nowhere (reference: adobe.md §2.10). */
function syncProblem({ request, opened }: Delivery, state: SimulatorState): Answer | undefined {
  const [envelope] = opened;
  if (!isSync(request) || !envelope?.ok || envelope.message.format !== 'xdm') return undefined;
  const { now, namespaces } = state.settings;
  const violations = recordViolations(envelope.message.entity, now(), namespaces);
  if (violations.length === 0) return undefined;
  return validationProblem(`inletId: [${request.inletId}] Message is invalid`, violations);
}

function singleAnswer(request: InletRequest, judgement: Judgement | undefined, now: number): Answer {
  if (judgement?.item.ok === false) return inletProblem(judgement.item.status, judgement.item.message);
  return jsonAnswer(200, {
    inletId: request.inletId,
    xactionId: `${now}:2153:240`,
    receivedTimeMs: now,
    ...(isSync(request) ? { syncValidation: { status: 'pass' } } : {}),
  });
}

function take(
  delivery: Delivery,
  fault: FiredFault | undefined,
  lands: boolean,
  state: SimulatorState,
): Answer {
  const problem = syncProblem(delivery, state);
  if (problem) return problem;
  const judgements = judge(delivery, fault);
  if (lands) land(delivery, judgements, state);
  const { request } = delivery;
  const now = state.settings.now();
  if (request.endpoint === 'single') return singleAnswer(request, judgements[0], now);
  return batchAnswer(
    request.inletId,
    now,
    judgements.map(({ item }) => item),
    fault,
  );
}

async function answerDelivery(delivery: Delivery, reply: FastifyReply, state: SimulatorState): Promise<void> {
  const { endpoint } = delivery.request;
  state.counters().messages += delivery.opened.length;
  const fault = state.faults.next({ endpoint, messages: delivery.looks });
  const leave = state.inFlight.enter(deliveryKeys(delivery));
  const ended = (how: string): void => {
    // Adobe's part is over when the answer goes out, not when it has arrived; a hanging request is under way until it is cut.
    if (how !== 'hang') leave();
    countRequest(state.counters(), endpoint, how);
    state.changes.emit('change');
  };
  try {
    const produce = (lands: boolean): Answer => take(delivery, fault, lands, state);
    await conclude(reply, { produce, refuse: scripted, ended }, fault?.action);
  } finally {
    leave();
  }
}

function requestOf(request: FastifyRequest, endpoint: InletRequest['endpoint']): InletRequest {
  return {
    endpoint,
    inletId: (request.params as { inletId: string }).inletId,
    headers: request.headers,
    query: new URLSearchParams(request.url.split('?')[1] ?? ''),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}

/** The simulated streaming inlet. Faults only meet requests that are good as a whole. */
export function registerInlet(app: FastifyInstance, state: SimulatorState): void {
  let requests = 0;
  const register = (path: string, endpoint: InletRequest['endpoint']): void => {
    app.post(path, async (raw, reply) => {
      requests += 1;
      const request = requestOf(raw, endpoint);
      const read = readInletRequest(request, state);
      if (read.ok) {
        await answerDelivery(
          openDelivery(request, `request-${requests}`, read.messages, state.settings),
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

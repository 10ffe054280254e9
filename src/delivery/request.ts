import type { ItemResult } from '../adobe/inlet/response.ts';
import type { Inlet, InletResult, TokenSource } from '../adobe/ports.ts';
import type { MessageKind } from '../journal/journal.ts';
import type { ItemReport, RequestReport } from './delivery-observer.ts';
import type { DestinationState } from './destination-state.ts';
import type { OutgoingMessage, SentRequest } from './outcome.ts';
import type { Pace } from './pace.ts';
import { traceDelivery } from './spans.ts';
import { batchVerdict, singleVerdict, type Verdict } from './verdict.ts';

export interface RequestParts {
  readonly destination: string;
  readonly inlet: Inlet;
  /** Undefined for an inlet without authentication. */
  readonly tokens: TokenSource | undefined;
  readonly flowIds: Readonly<Record<MessageKind, string>>;
  readonly state: DestinationState;
  readonly pace: Pace;
  readonly now: () => number;
  /** ms of a monotonic clock. */
  readonly monotonic: () => number;
  readonly report: (report: RequestReport) => void;
}

export type Endpoint = 'batch' | 'single';

export interface RequestClient {
  /**
   * Sends one request, within the pace and with a token. Throws only at abort.
   * @returns the reason as a string if nothing could be sent
   */
  readonly request: (
    batch: readonly OutgoingMessage[],
    endpoint: Endpoint,
    signal: AbortSignal,
  ) => Promise<SentRequest | string>;
  /**
   * Checks with an empty batch whether the inlet works: it does unless the response is a failure of
   * the inlet itself.
   */
  readonly probeInlet: (kind: MessageKind, signal: AbortSignal) => Promise<boolean>;
}

/** An empty batch cannot be taken; that Adobe itself says so shows that the inlet works. */
const WORKING_VERDICTS: readonly Verdict['kind'][] = ['items', 'invalid'];

export function createRequestClient(parts: RequestParts): RequestClient {
  const { state, tokens } = parts;

  const post = async (
    kind: MessageKind,
    batch: readonly OutgoingMessage[],
    endpoint: Endpoint,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<SentRequest> => {
    await parts.pace.admit(batch.length, signal);
    const flow = { flowId: parts.flowIds[kind] };
    const at = parts.now();
    const sentAt = parts.monotonic();
    const jsons = batch.map((message) => message.json);
    const sent = { destination: parts.destination, kind, endpoint, batch };
    return traceDelivery(sent, async (addToSpan) => {
      const response: InletResult =
        endpoint === 'batch'
          ? await parts.inlet.sendBatch(flow, jsons, token, signal)
          : await parts.inlet.sendSingle(flow, jsons[0] ?? '', token, signal);
      const verdict = endpoint === 'batch' ? batchVerdict(response, batch.length) : singleVerdict(response);
      const report = addToSpan(requestReport(sent, response, verdict));
      parts.report(report);
      const { status, durationMs } = report;
      return { verdict, at, sentAt, status, durationMs, size: batch.length };
    });
  };

  const request = async (
    batch: readonly OutgoingMessage[],
    endpoint: Endpoint,
    signal: AbortSignal,
    kind: MessageKind = batch[0]?.kind ?? 'event',
  ): Promise<SentRequest | string> => {
    let unauthorized: SentRequest | undefined;
    for (;;) {
      if (!state.maySend()) return unauthorized ?? 'the destination does not accept messages now';
      const token = tokens && (await tokens.get(signal));
      if (token?.ok === false) {
        const reason = `ims-${token.code}`;
        if (token.permanent) state.pauseForFault(reason, token.detail, { retryAfterMs: token.retryAfterMs });
        else state.recordFailure(reason, token.detail, token.retryAfterMs);
        return unauthorized ?? `no token: ${token.code}`;
      }
      const sent = await post(kind, batch, endpoint, token?.token, signal);
      const isFirstRefusal =
        sent.verdict.kind === 'unauthorized' && token !== undefined && unauthorized === undefined;
      if (!isFirstRefusal) return sent;
      // A refused token forces one mint and one retry; a second refusal is the destination's fault.
      tokens?.reject(token.token);
      unauthorized = sent;
    }
  };

  return {
    request,
    async probeInlet(kind, signal) {
      const sent = await request([], 'batch', signal, kind);
      const isWorking = typeof sent !== 'string' && WORKING_VERDICTS.includes(sent.verdict.kind);
      if (isWorking) state.recordAnswer();
      return isWorking;
    },
  };
}

function outcomeOf(verdict: Verdict): string {
  if (verdict.kind !== 'items') return verdict.kind;
  return verdict.items.every((item) => item.kind === 'taken') ? 'taken' : 'mixed';
}

function itemReport({ receipt }: OutgoingMessage, item: ItemResult | undefined): ItemReport {
  if (item === undefined || item.kind === 'unknown' || item.kind === 'foreign')
    return { receipt, outcome: item?.kind ?? 'unknown' };
  const { kind: outcome, xactionId } = item;
  return {
    receipt,
    outcome,
    ...(item.kind === 'failed' ? { status: item.status } : {}),
    ...(xactionId === undefined ? {} : { xactionId }),
  };
}

/** The report of one request: no content of messages except in `detail`. */
function requestReport(
  sent: {
    readonly destination: string;
    readonly kind: MessageKind;
    readonly endpoint: RequestReport['endpoint'];
    readonly batch: readonly OutgoingMessage[];
  },
  response: InletResult,
  verdict: Verdict,
): RequestReport {
  const { batch, ...common } = sent;
  const items = verdict.kind === 'items' ? verdict.items : [];
  return {
    ...common,
    messages: batch.length,
    bytes: batch.reduce((sum, message) => sum + message.bytes, 0),
    status: response.kind === 'response' ? response.status : undefined,
    failure: response.kind === 'failure' ? response.code : undefined,
    outcome: outcomeOf(verdict),
    detail: 'detail' in verdict ? verdict.detail : undefined,
    durationMs: response.durationMs,
    receipts: batch.map(({ receipt }) => receipt),
    items: verdict.kind === 'items' ? batch.map((message, index) => itemReport(message, items[index])) : [],
  };
}

import { randomUUID } from 'node:crypto';
import type { Inlet, InletResult, TokenResult, TokenSource } from '../adobe/ports.ts';
import type { MessageKind } from '../journal/journal.ts';
import type { RequestReport } from './delivery-observer.ts';
import type { DestinationState } from './destination-state.ts';
import type { OutgoingMessage, SentRequest } from './outcome.ts';
import type { Pace } from './pace.ts';
import { requestReport } from './request-report.ts';
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
  /** See EventQueue. */
  readonly holds: (receipt: string) => boolean;
  readonly report: (report: RequestReport) => void;
}

type NoToken = Extract<TokenResult, { ok: false }>;

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

/** Makes the ids of this process differ from those of all others. */
const PROCESS_ID = randomUUID();
let lastRequest = 0;

/** An id that no other request has. */
function newRequestId(): string {
  lastRequest += 1;
  return `${PROCESS_ID}-${lastRequest}`;
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
  ): Promise<SentRequest | string> => {
    await parts.pace.admit(batch.length, signal);
    // Another replica may be sending the next events of these customers already.
    if (!batch.every(({ receipt }) => parts.holds(receipt))) return 'its claim has ended';
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
      const report = addToSpan(requestReport(sent, response, verdict, parts.now()));
      parts.report(report);
      const { status, durationMs } = report;
      const recorded = { id: newRequestId(), at, kind, durationMs, batchSize: batch.length };
      return { verdict, sentAt, request: status === undefined ? recorded : { ...recorded, status } };
    });
  };

  /** The inlet's latest 401 or 403: why newly minted tokens are refused, too. */
  let refusal: { readonly reason: string; readonly detail: string } | undefined;

  /** Without a token the destination stops, and its reason is what IMS or the inlet said first. */
  const stopWithout = ({ code, detail, permanent, retryAfterMs: waitMs }: NoToken): void => {
    // The proxy is the cause, whatever was to be reached through it.
    const reason = code.startsWith('proxy-') ? code : `ims-${code}`;
    if (code === 'token_refused') {
      const cause = refusal ?? { reason: 'unauthorized', detail };
      state.pauseForFault(cause.reason, cause.detail, { waitMs });
    } else if (permanent || code === 'refused' || code === 'proxy-refused')
      state.pauseForFault(reason, detail, { waitMs });
    else state.waitFor(reason, detail, waitMs);
  };

  const request = async (
    batch: readonly OutgoingMessage[],
    endpoint: Endpoint,
    signal: AbortSignal,
    kind: MessageKind = batch[0]?.kind ?? 'event',
  ): Promise<SentRequest | string> => {
    let refused: SentRequest | undefined;
    for (;;) {
      // The state names why there is no other attempt: the refusal of the old token is its echo.
      if (!state.maySend())
        return refused ? { ...refused, isEcho: true } : 'the destination does not accept messages now';
      const token = tokens && (await tokens.get(signal));
      if (token?.ok === false) {
        stopWithout(token);
        return refused ? { ...refused, isEcho: true } : `no token: ${token.code}`;
      }
      const sent = await post(kind, batch, endpoint, token?.token, signal);
      if (typeof sent === 'string') return sent;
      if (sent.verdict.kind !== 'unauthorized' || token === undefined) return sent;
      refusal = sent.verdict;
      // A refused token forces one mint and one retry; a second refusal is the destination's fault.
      if (refused !== undefined) return sent;
      tokens?.reject(token.token);
      refused = sent;
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

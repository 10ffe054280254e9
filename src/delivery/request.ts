import type { Inlet, InletAnswer, TokenSource } from '../adobe/answer.ts';
import type { MessageKind } from '../journal/journal.ts';
import type { DestinationState } from './destination-state.ts';
import type { OutMessage } from './message.ts';
import type { RequestReport } from './observer.ts';
import type { Tried } from './outcomes.ts';
import type { Pace } from './pace.ts';
import { requestReport } from './request-report.ts';
import { deliverSpan } from './spans.ts';
import { batchVerdict, singleVerdict, type Verdict } from './verdict.ts';

export interface RequestParts {
  readonly destination: string;
  readonly inlet: Inlet;
  /** Undefined for an inlet that takes messages without a token. */
  readonly tokens: TokenSource | undefined;
  readonly flowIds: Readonly<Record<MessageKind, string>>;
  readonly state: DestinationState;
  readonly pace: Pace;
  readonly now: () => number;
  readonly report: (report: RequestReport) => void;
}

export type Endpoint = 'batch' | 'single';

export interface Requests {
  /** Makes one request, within the pace and with a token. Answers a text when nothing could be sent: why. Throws only at abort. */
  readonly request: (
    batch: readonly OutMessage[],
    endpoint: Endpoint,
    signal: AbortSignal,
  ) => Promise<Tried | string>;
  /** Asks with an empty batch whether the inlet answers at all: any answer that is not of its own trouble will do. */
  readonly isAlive: (kind: MessageKind, signal: AbortSignal) => Promise<boolean>;
}

const ALIVE: readonly Verdict['kind'][] = ['items', 'invalid', 'too-large'];

export function createRequest(parts: RequestParts): Requests {
  const { state, tokens } = parts;

  const post = async (
    kind: MessageKind,
    batch: readonly OutMessage[],
    endpoint: Endpoint,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<Tried> => {
    await parts.pace.admit(batch.length, signal);
    const flow = { flowId: parts.flowIds[kind] };
    const at = parts.now();
    const jsons = batch.map((message) => message.json);
    const sent = { destination: parts.destination, kind, endpoint, batch };
    return deliverSpan(sent, async (tell) => {
      const answer: InletAnswer =
        endpoint === 'batch'
          ? await parts.inlet.sendBatch(flow, jsons, token, signal)
          : await parts.inlet.sendSingle(flow, jsons[0] ?? '', token, signal);
      const verdict = endpoint === 'batch' ? batchVerdict(answer, batch.length) : singleVerdict(answer);
      const report = tell(requestReport(sent, answer, verdict));
      parts.report(report);
      const { status, durationMs } = report;
      return { verdict, at, status, durationMs, size: batch.length };
    });
  };

  const request = async (
    batch: readonly OutMessage[],
    endpoint: Endpoint,
    signal: AbortSignal,
    kind: MessageKind = batch[0]?.kind ?? 'event',
  ): Promise<Tried | string> => {
    let refused: Tried | undefined;
    for (;;) {
      if (!state.maySend()) return refused ?? 'the destination is not taking messages now';
      const token = tokens && (await tokens.get(signal));
      if (token?.ok === false) {
        const reason = `ims-${token.code}`;
        if (token.permanent) state.fault(reason, token.detail, token.retryAfter);
        else state.failed(reason, token.detail, token.retryAfter);
        return refused ?? `no token: ${token.code}`;
      }
      const tried = await post(kind, batch, endpoint, token?.token, signal);
      if (tried.verdict.kind !== 'unauthorized' || token === undefined || refused !== undefined) return tried;
      // One forced mint for the token that was refused, then once more; a second refusal is the destination's fault.
      tokens?.reject(token.token);
      refused = tried;
    }
  };

  return {
    request,
    async isAlive(kind, signal) {
      const tried = await request([], 'batch', signal, kind);
      const alive = typeof tried !== 'string' && ALIVE.includes(tried.verdict.kind);
      if (alive) state.succeeded();
      return alive;
    },
  };
}

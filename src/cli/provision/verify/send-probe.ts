import { isAdobeSuccess } from '../../../adobe/inlet/adobe-answer.ts';
import { createInlet } from '../../../adobe/inlet/inlet-client.ts';
import { serializeEnvelope } from '../../../adobe/inlet/inlet-envelope.ts';
import { readProblem } from '../../../adobe/inlet/response.ts';
import type { TokenSource } from '../../../adobe/ports.ts';
import type { DestinationConfig } from '../../../config/config-schema.ts';
import type { Egress } from '../../../http/egress.ts';
import type { ProbeRecord } from './probe-records.ts';

const TIMEOUT_MS = 30_000;

/** Sends one record to the inlet. @returns why it was refused; undefined if it was accepted */
export type ProbeSender = (
  probe: ProbeRecord,
  flow: DestinationConfig['events'],
) => Promise<string | undefined>;

/** A sender for the single endpoint of the destination's inlet. */
export function createProbeSender(
  destination: DestinationConfig,
  tokens: Pick<TokenSource, 'get'>,
  egress: Egress,
): ProbeSender {
  const { imsOrgId, inletUrl, sandbox, authenticated, format } = destination;
  return async ({ entity }, flow) => {
    const signal = AbortSignal.timeout(2 * TIMEOUT_MS);
    const token = authenticated ? await tokens.get(signal) : undefined;
    if (token?.ok === false) return `${token.code}: ${token.detail}`;
    const inlet = createInlet({ inletUrl, sandbox, connections: 1, egress, requestTimeoutMs: TIMEOUT_MS });
    try {
      const message = serializeEnvelope({ imsOrgId, flow, format }, entity, Date.now());
      const answer = await inlet.sendSingle(flow, message, token?.token, signal);
      if (answer.kind === 'failure') return `${answer.code}: ${answer.detail}`;
      const isAccepted = answer.status < 300 && isAdobeSuccess(answer.body);
      return isAccepted ? undefined : `answered ${answer.status}: ${readProblem(answer.body)}`;
    } finally {
      await inlet.close();
    }
  };
}

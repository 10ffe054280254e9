import type { Answer } from '../../adobe/exchange.ts';
import { isJsonObject, type JsonValue } from '../../../capillary/json.ts';
import { apiError, unparsable, v3Answer } from './api-answers.ts';
import type { ApiCaller } from './api-tokens.ts';
import type { CapillaryTwin } from './capillary-twin.ts';

export const TOKEN_PATH = '/v3/oauth/token/generate';

/** The client that the body names, or the refusal (docs/platforms/capillary.md#api-access). */
export function readClient(
  body: JsonValue | undefined,
  { tokens }: CapillaryTwin,
): { readonly caller: ApiCaller } | { readonly refusal: Answer } {
  if (!isJsonObject(body)) return { refusal: unparsable('v3') };
  const caller = tokens.clientOf(body.key, body.secret);
  if (caller) return { caller };
  return { refusal: apiError('v3', 401, 401, 'Invalid key or secret') };
}

/** A token for the client; with `lands: false` one that no call accepts. */
export function tokenAnswer(caller: ApiCaller, { tokens, settings }: CapillaryTwin, lands: boolean): Answer {
  const accessToken = tokens.generate(caller, lands);
  return v3Answer({ accessToken, ttlSeconds: settings.tokenTtlSeconds });
}

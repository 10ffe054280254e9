import { type Answer, jsonAnswer } from '../exchange.ts';
import type { Permission } from './permissions.ts';

/**
 * Errors of the gateway in front of all services; the first three digits are the status
 * (docs/platforms/adobe.md#gateway).
 */
const GATEWAY_MESSAGES = {
  '400003': 'Missing header',
  '401013': 'Oauth token is not valid',
  '403000': 'Api Key is required',
  '403003': 'Api Key is invalid',
  '403010': 'Oauth token is missing',
  '403025': 'Profile is not valid',
  '404040': 'Resource not found',
  '429050': 'Too many requests',
  '500000': 'Internal error',
  '502000': 'Bad gateway',
  '503000': 'Service unavailable',
  '504000': 'Gateway timeout',
} as const;

export type GatewayCode = keyof typeof GATEWAY_MESSAGES;

export function gatewayError(code: GatewayCode, message: string = GATEWAY_MESSAGES[code]): Answer {
  return jsonAnswer(Number(code.slice(0, 3)), { error_code: code, message });
}

/** What the gateway answers in a service's place, for a fault with this status. */
export function gatewayFailure(status: number, text?: string): Answer {
  const codes = Object.keys(GATEWAY_MESSAGES) as GatewayCode[];
  const code = status === 403 ? '403025' : codes.find((key) => key.startsWith(String(status)));
  if (code !== undefined) return gatewayError(code, text);
  return jsonAnswer(status, { error_code: `${status}000`, message: text ?? 'scripted by the simulator' });
}

/** The problem document of a service (docs/platforms/adobe.md#platform-errors). */
export function problem(status: number, title: string, detail: string, more: object = {}): Answer {
  return jsonAnswer(
    status,
    { type: `http://ns.adobe.com/aep/errors/${status}`, title, status, detail, ...more },
    { 'content-type': 'application/problem+json' },
  );
}

/** The role of the technical account lacks a permission. */
export function permissionProblem(permission: Permission): Answer {
  return problem(403, 'Forbidden', `Access is denied: the permission ${permission} is missing.`);
}

import type { IncomingHttpHeaders } from 'node:http';
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

/** The role of the technical account lacks a permission (docs/platforms/adobe.md#permissions). */
export function permissionProblem(permission: Permission): Answer {
  return problem(
    403,
    'Insufficient permissions',
    `The authorization token provided in the request does not have the permissions to access: ${permission}. Please contact your system administrator to fix this issue.`,
  );
}

/** The answer if `If-Match` was sent and the object has changed since. */
export function ifMatchProblem(headers: IncomingHttpHeaders, etag: string): Answer | undefined {
  const given = headers['if-match']?.replace(/^W\//, '').replaceAll('"', '');
  if (given === undefined || given === '*' || given === etag) return undefined;
  return problem(412, 'Precondition Failed', 'If-Match does not match the current version of the object.');
}

export function noContent(): Answer {
  return { status: 204, headers: {}, body: '' };
}

import type { Answer } from './answer.ts';
import { jsonAnswer } from './answer.ts';
import type { Violation } from './violations.ts';

const TYPE = 'http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet';
const AUTHORIZATION_TYPE = 'https://ns.adobe.com/adobecloud/problem/data-collection-service-authorization';

const TITLES: Readonly<Record<number, string>> = {
  400: 'Invalid XDM Message Format',
  403: 'Forbidden',
  404: 'Inlet not found',
  413: 'Payload too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal server error',
  501: 'Not implemented',
  503: 'Service unavailable',
};

/** The inlet's answer to a token it does not take. `status` is a string here and nowhere else (reference: adobe.md §2.6). */
export function authorizationProblem(inletId: string, message: string): Answer {
  return jsonAnswer(401, {
    type: AUTHORIZATION_TYPE,
    status: '401',
    title: 'Authorization',
    report: { message: `[${inletId}] ${message}` },
  });
}

/** The inlet's problem document for a request or, alone, a message (reference: adobe.md §2.6). */
export function inletProblem(status: number, message: string): Answer {
  return jsonAnswer(status, { type: TYPE, status, title: TITLES[status] ?? 'Error', report: { message } });
}

/** What the single endpoint answers when it was asked to validate and the message fails (reference: adobe.md §2.6, §2.10). */
export function validationProblem(message: string, violations: readonly Violation[]): Answer {
  const causingExceptions = violations.map(({ pointer, keyword, message: detail }) => ({
    schemaLocation: `#/properties${pointer.slice(1)}`,
    pointerToViolation: pointer,
    keyword,
    message: detail,
    causingExceptions: [],
  }));
  const cause = {
    schemaLocation: '#',
    pointerToViolation: '#',
    causingExceptions,
    message: `${violations.length} schema violations found`,
  };
  return jsonAnswer(400, {
    type: TYPE,
    status: 400,
    title: 'Invalid XDM Message Format',
    report: { message, cause: { _streamingValidation: [cause] } },
  });
}

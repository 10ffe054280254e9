import { type Answer, jsonAnswer } from '../../adobe/exchange.ts';
import type { ApiVersion } from './api-route.ts';

/** An answer of v3 (docs/platforms/capillary.md#api-errors). */
export function v3Answer(data: unknown, warnings: unknown = null): Answer {
  return jsonAnswer(200, { data, errors: null, warnings });
}

function v1Error(status: number, code: number, message: string): Answer {
  return jsonAnswer(status, {
    response: {
      status: { success: 'false', code, message, total: '1', success_count: '0' },
    },
  });
}

/** The version whose error shape a path has. */
export function versionOf(path: string): ApiVersion {
  if (path.startsWith('/v1.1/')) return 'v1.1';
  return path.startsWith('/v2/') ? 'v2' : 'v3';
}

/** An error in the shape of the version: `errors[]`, `data` with `errors`, or `response.status`. */
export function apiError(version: ApiVersion, status: number, code: number, message: string): Answer {
  if (version === 'v1.1') return v1Error(status, code, message);
  if (version === 'v2') {
    return jsonAnswer(status, { errors: [{ status: false, code, message }], warnings: [] });
  }
  return jsonAnswer(status, { data: null, errors: [{ code, message }], warnings: null });
}

const BAD_TOKEN = 'Authentication failed: check username/password or token';

/** A missing, unknown or expired token. On v2 it is XML, whatever the caller accepts. */
export function unauthorized(version: ApiVersion): Answer {
  if (version !== 'v2') return apiError(version, 401, 401, BAD_TOKEN);
  return {
    status: 401,
    headers: { 'content-type': 'application/xml;charset=utf-8' },
    body:
      '<?xml version="1.0" encoding="UTF-8"?><response><status><success>false</success>' +
      `<code>401</code><message>${BAD_TOKEN}</message></status></response>`,
  };
}

/** A body that cannot be parsed; on v2 the answer is blank. */
export function unparsable(version: ApiVersion): Answer {
  if (version === 'v2') return { status: 400, headers: {}, body: '' };
  return apiError(version, 400, 300_004, 'Unable to parse the request');
}

/** Neither a body nor `Retry-After` is documented for it. */
export function tooManyCalls(): Answer {
  return { status: 429, headers: {}, body: '' };
}

/** Code and text of the platform's failures; any other status is its own code. */
const FAILURES: Readonly<Record<number, readonly [code: number, message: string]>> = {
  403: [4000, 'Access to the resource is denied'],
  461: [461, 'Search engine is busy'],
  498: [498, 'Session token expired'],
  503: [4001, 'Authorization status is unavailable'],
  521: [521, 'Multiple actions are running for the same customer'],
};

/** What the platform answers with a failing status, with this text if there is one. */
export function failure(version: ApiVersion, status: number, text?: string): Answer {
  if (status === 401) return unauthorized(version);
  if (status === 429) return tooManyCalls();
  const [code, message] = FAILURES[status] ?? [status, 'The request failed'];
  return apiError(version, status, code, text ?? message);
}

/** `JSON.rawJSON` of V8, which the library of TypeScript does not have yet. */
interface RawJson {
  rawJSON(text: string): unknown;
}

/** A number that `JSON.stringify` writes as Java writes a double: 200 as `200.0`. */
export function asFloat(value: number): unknown {
  const text = Number.isInteger(value) ? `${value}.0` : String(value);
  return (JSON as unknown as RawJson).rawJSON(text);
}

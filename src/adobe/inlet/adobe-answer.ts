import { isJsonObject, type JsonObject, type JsonValue } from '../../capillary/json.ts';
import { parseJsonObject } from '../../http/answer-text.ts';

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

/** The first member of a success answer, for one that was too long to be read as a whole. */
const START_OF_SUCCESS = /^\s*\{\s*"(?:inletId|batchId|xactionId|receivedTimeMs|responses)"\s*:/;

/**
 * Whether the body of a 2xx is the inlet's own. Anything else comes from a proxy, a gateway or a
 * login page, and says nothing about the messages.
 * Source: docs/platforms/adobe.md#foreign-answers
 */
export function isAdobeSuccess(body: string, isTruncated = false): boolean {
  if (isTruncated) return START_OF_SUCCESS.test(body);
  const answer = parseJsonObject(body);
  if (answer === undefined) return false;
  return isText(answer['inletId']) || isText(answer['xactionId']) || Array.isArray(answer['responses']);
}

/** The types of Adobe's problem documents are URIs on its own hosts, such as ns.adobe.com. */
const ADOBE_TYPE = /^https?:\/\/(?:[a-z0-9-]+\.)*adobe(?:dc)?\.(?:com|io|net)(?:[/?#]|$)/i;
/** How the inlet's own messages begin, wherever they are quoted. */
const INLET_MESSAGE = /\binletId: \[/;

/** Frameworks write `status`, `title` and `message` too; what only Adobe writes decides. */
function isProblem(problem: JsonObject, status: number): boolean {
  const { type, title, report, message } = problem;
  if (isText(type)) return ADOBE_TYPE.test(type);
  if (isJsonObject(report) && (isText(report['message']) || isJsonObject(report['cause']))) return true;
  if (isText(message) && INLET_MESSAGE.test(message)) return true;
  return isText(title) && Number(problem['status'] ?? status) === status;
}

function isGatewayError({ error_code: code, message }: JsonObject): boolean {
  return (isText(code) || typeof code === 'number') && isText(message);
}

/**
 * Whether the body of a 400, 415 or 422 is an error document of Adobe: of the inlet, of its
 * validator, or of the gateway of its platform.
 * Source: docs/platforms/adobe.md#foreign-answers
 */
export function isAdobeError(body: string, status: number): boolean {
  const answer = parseJsonObject(body);
  if (answer === undefined) return false;
  const hasViolations = isJsonObject(answer['_errors']) || Array.isArray(answer['_streamingValidation']);
  return (
    isText(answer['inletId']) ||
    isText(answer['xactionId']) ||
    hasViolations ||
    isGatewayError(answer) ||
    isProblem(answer, status)
  );
}

/** Whether a body is neither empty nor a JSON object, so that it is not Adobe's. */
export function isPage(body: string): boolean {
  return body.trim() !== '' && parseJsonObject(body) === undefined;
}

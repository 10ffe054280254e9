import { pageText } from '../../http/answer-text.ts';
import { truncateUtf8 } from '../../telemetry/truncate.ts';
import type { ApiMessage } from './api-messages.ts';

/*
 * What of an answer may be repeated in a log line. Answers about customers and bills have names and
 * contacts, and their errors can repeat them; of those only the meaning of a known code is said.
 */

const MAX_TEXT_BYTES = 1_024;
const MAX_PAGE_BYTES = 200;

/** Calls about one person. */
const PERSONAL = /^\/v\d+(\.\d+)?\/(customers?|transactions?|points\w*|members|userGroup2)(\/|$)/i;

/** Source: docs/platforms/capillary.md#api-errors */
const MEANINGS: Readonly<Record<string, string>> = {
  4000: 'the access group lacks the resource',
  4001: 'whether the client may call is not known at the moment',
  8109: 'the customer was deleted',
  8069: 'the customer was merged into another one',
  8015: 'no such customer',
  8065: 'no such customer in the given source',
  8012: 'unknown source',
  8013: 'invalid identifier',
  8045: 'the source needs an account',
  8062: 'the points could not be read',
  8063: 'the segments could not be read',
  8089: 'not a member of the program',
  8130: 'invalid name of an identifier',
  1013: 'not a member of the program',
  1020: 'not a member of the program',
  1212: 'invalid program',
  461: 'the search is busy',
  521: 'several actions are running for the customer',
  603: 'no such transaction',
  607: 'no such transaction',
  620: 'no such transaction',
  667: 'no such transaction',
  668: 'no such transaction',
};

function isPersonal(path: string): boolean {
  return PERSONAL.test(path.split('?')[0] ?? path);
}

/** Segments of a path that are no ids: versions and names of resources. */
const NO_ID = /^(v\d+(\.\d+)?|[a-z][a-z_-]{0,39}|userGroup2)$/i;

/** The path without its query and without ids: `/v2/customers/{id}/transactions`. */
export function endpointOf(path: string): string {
  const [bare = path] = path.split('?');
  return bare
    .split('/')
    .map((segment) => (segment === '' || NO_ID.test(segment) ? segment : '{id}'))
    .join('/');
}

const EMAIL = /[^\s@"'<>(),;:]+@[^\s@"'<>(),;:]+/g;
/** Seven digits or more, also in groups. */
const LONG_NUMBER = /\+?\d(?:[\s().-]?\d){6,}/g;

function withoutContacts(text: string): string {
  return text.replaceAll(EMAIL, '[removed]').replaceAll(LONG_NUMBER, '[removed]');
}

/** What Capillary says about a failed call. */
export function messageText(path: string, errors: readonly ApiMessage[], isAboutClient: boolean): string {
  if (!isPersonal(path) || isAboutClient) {
    const text = errors.map(({ text: message }) => message).join('; ');
    const shown = isPersonal(path) ? withoutContacts(text) : text;
    return truncateUtf8(shown || 'without a text', MAX_TEXT_BYTES);
  }
  const known = errors.flatMap(({ code }) => MEANINGS[code] ?? []);
  if (known.length > 0) return [...new Set(known)].join('; ');
  return errors.length === 0 ? 'without a text' : 'a text that can have personal data and is not shown';
}

/** What something else says that answered in Capillary's place; damaged JSON is not quoted. */
export function foreignText(path: string, body: string): string {
  const start = body.trimStart();
  if (start === '') return 'an empty answer';
  if (/^[[{"]/.test(start)) return 'JSON that is damaged, or of another form';
  const text = pageText(body, MAX_PAGE_BYTES) || 'a page without a text';
  return isPersonal(path) ? withoutContacts(text) : text;
}

import { describe, expect, it } from 'vitest';
import { isAdobeError, isAdobeSuccess } from '../../../src/adobe/inlet/adobe-answer.ts';

const INLET = 'http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet';

describe('a success of the inlet', () => {
  it.each([
    '{"inletId":"2f4e","xactionId":"1764000000123:2153:240","receivedTimeMs":1764000000123}',
    '{"inletId":"2f4e"}',
    '{"xactionId":"1:2:3"}',
    '{"responses":[]}',
    '{"inletId":"2f4e","batchId":"1:2:3","receivedTimeMs":1,"responses":[{"xactionId":"u-0"}]}',
  ])('is %s', (body) => {
    expect(isAdobeSuccess(body)).toBe(true);
  });

  it.each([
    '',
    '{}',
    '[]',
    'null',
    'OK',
    '<html><body>Sign in</body></html>',
    '{"error":"blocked"}',
    '{"status":"ok"}',
    '{"inletId":""}',
    '{"xactionId":5}',
    '{"responses":{}}',
    '{"data":{"inletId":"2f4e"}}',
  ])('is not %j', (body) => {
    expect(isAdobeSuccess(body)).toBe(false);
  });
});

describe('an error document of Adobe', () => {
  it.each([
    ['of the inlet', { type: INLET, status: 400, title: 'Invalid', report: { message: 'invalid' } }],
    ['with its type only', { type: INLET.replace('http:', 'https:') }],
    ['with a report', { status: 400, report: { message: 'dataset not found' } }],
    ['with title and status', { title: 'Invalid XDM Message Format', status: 400 }],
    ['with its status as a string', { title: 'Authorization', status: '400' }],
    [
      'of one message',
      { statusCode: 400, message: 'inletId: [2f4e] imsOrgId: [1A@AdobeOrg] Message is invalid' },
    ],
    ['of the gateway', { error_code: '400003', message: 'a header is missing' }],
    ['of the validator', { _errors: { _streamingValidation: [{ message: 'no' }] } }],
  ])('is one %s', (_what, document) => {
    expect(isAdobeError(JSON.stringify(document), 400)).toBe(true);
  });

  it.each([
    ['an empty object', {}],
    ['a list', []],
    ['an error', { error: 'Bad Request' }],
    ['a message', { message: 'Forbidden' }],
    ['a framework', { statusCode: 400, error: 'Bad Request', message: 'body is invalid' }],
    [
      'another framework',
      { timestamp: '2026-01-01', status: 400, error: 'Bad Request', path: '/collection' },
    ],
    ['a problem of a host like Adobe’s', { type: 'https://adobe.com.example.org/problem', title: 'No' }],
    [
      'the problem of another server',
      { type: 'https://tools.ietf.org/html/rfc7231#section-6.5.1', title: 'Bad Request', status: 400 },
    ],
    ['a problem without a type of its own', { type: 'about:blank', title: 'Bad Request', status: 400 }],
    ['the title of another status', { title: 'Bad gateway', status: 502 }],
    ['an empty gateway error', { error_code: '', message: '' }],
  ])('is not %s', (_what, document) => {
    expect(isAdobeError(JSON.stringify(document), 400)).toBe(false);
  });

  it.each(['', 'Bad Request', '<html>400</html>'])('is not %j', (body) => {
    expect(isAdobeError(body, 400)).toBe(false);
  });
});

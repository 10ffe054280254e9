import { expect, test } from 'vitest';
import { readProblem } from '../../../src/adobe/inlet/response.ts';

function violation(pointer: string, message: string, causes: unknown[] = []) {
  return {
    schemaLocation: '#',
    pointerToViolation: pointer,
    message,
    causingExceptions: causes,
  };
}

function invalid(causes: unknown[]) {
  return JSON.stringify({
    type: 'http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet',
    status: 400,
    title: 'Invalid XDM Message Format',
    report: {
      message: 'inletId: [2f4e] Message is invalid',
      cause: { _streamingValidation: [violation('#', `${causes.length} schema violations found`, causes)] },
    },
  });
}

test('has title, message and the innermost violations', () => {
  const body = invalid([
    violation('#/timestamp', '[2026-13-01] is not a valid date-time'),
    violation('#/commerce', 'two', [
      violation('#/commerce/a', 'wrong'),
      violation('#/commerce/b', 'missing'),
    ]),
  ]);
  expect(readProblem(body)).toBe(
    'Invalid XDM Message Format; inletId: [2f4e] Message is invalid; #/timestamp: [2026-13-01] is not a valid date-time; #/commerce/a: wrong; #/commerce/b: missing',
  );
});

test('has at most five violations', () => {
  const body = invalid(Array.from({ length: 50 }, (_, at) => violation(`#/f${at}`, 'wrong')));
  expect(readProblem(body)).toContain('#/f4: wrong');
  expect(readProblem(body)).not.toContain('#/f5');
});

test.each([
  [
    '{"status":"401","title":"Authorization","report":{"message":"[2f4e] Ims service token is empty"}}',
    'Authorization; [2f4e] Ims service token is empty',
  ],
  ['{"error_code":"401013","message":"Oauth token is not valid"}', 'Oauth token is not valid'],
  ['{"_errors":{"_streamingValidation":[{"message":"no source name"}]}}', 'no source name'],
  ['{"title":"Same","message":"Same"}', 'Same'],
  ['{"other":1}', '{"other":1}'],
  ['{"report":null,"title":5}', '{"report":null,"title":5}'],
  ['', ''],
  ['  plain\n words ', 'plain words'],
  ['<html><style>b{}</style><h1>502</h1>\n<p>Bad  gateway</p></html>', '502 Bad gateway'],
])('%s', (body, text) => {
  expect(readProblem(body)).toBe(text);
});

test('has at most 2 KB and only whole characters', () => {
  const text = readProblem(JSON.stringify({ title: '漢'.repeat(5_000) }));
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2_048);
  expect(text).toMatch(/^漢+…$/);
  expect(Buffer.byteLength(readProblem('x'.repeat(900_000)))).toBeLessThanOrEqual(2_048);
});

test('a document of extreme depth or width is read without failing', () => {
  const deep = `${'{"causingExceptions":['.repeat(50_000)}{}${']}'.repeat(50_000)}`;
  const body = `{"title":"Deep","report":{"cause":{"_streamingValidation":[${deep}]}}}`;
  expect(readProblem(body)).toBe('Deep');
  const wide = invalid(Array.from({ length: 20_000 }, () => ({})));
  expect(readProblem(wide)).toContain('Message is invalid');
});

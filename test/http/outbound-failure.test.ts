import { describe, expect, test } from 'vitest';
import { failureOf } from '../../src/http/failure.ts';

function coded(code: string, message = 'went wrong', options?: ErrorOptions): Error {
  return Object.assign(new Error(message, options), { code });
}

describe('an error of Node or undici', () => {
  test.each([
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
    ['UND_ERR_BODY_TIMEOUT', 'timeout'],
    ['ETIMEDOUT', 'timeout'],
    ['ECONNREFUSED', 'refused'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['ENOTFOUND', 'dns'],
    ['EAI_AGAIN', 'dns'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['EPROTO', 'tls'],
    ['EHOSTUNREACH', 'network'],
    ['HPE_INVALID_CONSTANT', 'network'],
    ['UND_ERR_DESTROYED', 'network'],
  ])('%s is %s', (code, expected) => {
    expect(failureOf(coded(code))).toEqual({ code: expected, detail: `${code}: went wrong` });
  });

  test('is classified by its cause', () => {
    const error = new TypeError('fetch failed', { cause: coded('ENOTFOUND') });
    expect(failureOf(error).code).toBe('dns');
  });

  test('may aggregate several errors', () => {
    const errors = [coded('ECONNREFUSED', 'connect ECONNREFUSED ::1:9'), coded('ECONNREFUSED')];
    expect(failureOf(new AggregateError(errors))).toEqual({
      code: 'refused',
      detail: 'connect ECONNREFUSED ::1:9',
    });
  });

  test('may be its own cause', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(failureOf(error)).toEqual({ code: 'network', detail: 'Error: loop' });
  });
});

test('a thrown value that is not an error is used as it is', () => {
  expect(failureOf('boom')).toEqual({ code: 'network', detail: 'boom' });
});

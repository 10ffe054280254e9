import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../http/problems.ts';

/**
 * Bodies of the admin API are JSON or absent. Other types are refused in words: a web page can send a form to any address, but not JSON, and
 * curl sends a form unless told otherwise.
 */
export function jsonBodies(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body.trim() === '' ? undefined : JSON.parse(body));
    } catch {
      done(new ProblemError('bad-request', 'body: is not JSON'));
    }
  });
  scope.addContentTypeParser('*', (_request, _payload, done) => {
    done(new ProblemError('bad-request', 'body: send JSON, with the header Content-Type: application/json'));
  });
}

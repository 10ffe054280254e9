import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../http/problems.ts';

interface Path {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** `/events/:receipt` → an expression for such paths. */
function patternOf(url: string): RegExp {
  return new RegExp(
    `^${url
      .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll(/:\w+/g, '[^/]+')
      .replace(/\/$/, '')}/?$`,
  );
}

/**
 * Answers what no route takes: 405 with `Allow` when the path is there for another method, else 404. To be called before the routes are
 * registered.
 */
export function answerNoRoute(app: FastifyInstance) {
  const paths = new Map<string, Path>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const one of [method].flat()) path.methods.add(one);
    paths.set(url, path);
  });
  return (request: FastifyRequest, reply: FastifyReply): never => {
    const [asked = ''] = request.url.split('?');
    const methods = [...paths.values()]
      .filter(({ pattern }) => pattern.test(asked))
      .flatMap((path) => [...path.methods]);
    if (methods.length === 0)
      throw new ProblemError('not-found', 'no such path; openapi.yaml has those there are');
    const allow = [...new Set(methods)].toSorted().join(', ');
    void reply.header('allow', allow);
    throw new ProblemError('method-not-allowed', `this path takes ${allow}`);
  };
}

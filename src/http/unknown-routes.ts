import type { FastifyInstance } from 'fastify';
import { ProblemError } from './problems.ts';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** `/events/:receipt` → a regular expression that matches such paths. */
function patternOf(url: string): RegExp {
  return new RegExp(
    `^${url
      .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll(/:\w+/g, '[^/]+')
      .replace(/\/$/, '')}/?$`,
  );
}

/** The path of a request target, which can also be a whole URL. */
function pathOf(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/?]*/i, '').split('?');
  return path;
}

/**
 * Answers requests without a route, before their body is read: 405 with `Allow` if the path exists
 * for another method, whatever the method, otherwise 404. Call it before the routes are registered,
 * and after the hooks that must run first, such as those that check access.
 * @param hint for the answer 404
 * @returns the handler to set in a scope whose hooks must run for unknown paths too
 */
export function refuseUnknownRoutes(app: FastifyInstance, hint?: string): () => never {
  const notFound = (): never => {
    throw new ProblemError('not-found', hint);
  };
  app.setNotFoundHandler(notFound);
  const paths = new Map<string, KnownPath>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const name of [method].flat()) path.methods.add(name);
    paths.set(url, path);
  });
  app.addHook('preParsing', ({ is404, url }, reply, _payload, done) => {
    if (!is404) return done();
    const methods = [...paths.values()]
      .filter(({ pattern }) => pattern.test(pathOf(url)))
      .flatMap((path) => [...path.methods]);
    if (methods.length === 0) return done(new ProblemError('not-found', hint));
    const allow = [...new Set(methods)].toSorted().join(', ');
    void reply.header('allow', allow);
    done(new ProblemError('method-not-allowed', `this path accepts ${allow}`));
  });
  return notFound;
}

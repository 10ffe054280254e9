import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { type ObservedResponse, contractViolation } from './openapi.ts';

/** Like `fetch`, for the relay's own ports. @throws Error if the response violates openapi.yaml */
export async function contractFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init);
  const { pathname, search } = new URL(url);
  const { status, headers } = response;
  const text = await response.clone().text();
  const violation = contractViolation({
    method: init.method ?? 'GET',
    path: pathname + search,
    status,
    headers,
    text,
  });
  if (violation !== undefined) throw new Error(`violates openapi.yaml: ${violation}`);
  return response;
}

/**
 * Checks every response of an app against the contract, those to HTTP requests and those of
 * `inject`. Call it before the app listens.
 * @returns the violations so far
 */
export function checkResponses(app: FastifyInstance, port: ObservedResponse['port']): readonly string[] {
  const violations: string[] = [];
  const observe = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    const write = response.write.bind(response);
    const end = response.end.bind(response);
    const writeHead = response.writeHead.bind(response);
    const headers = new Headers();
    const collect = (chunk: unknown): void => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    };
    response.writeHead = ((status: number, given: Record<string, unknown> = {}) => {
      for (const [name, value] of Object.entries({ ...response.getHeaders(), ...given }))
        headers.set(name, String(value));
      return writeHead(status, given as OutgoingHttpHeaders);
    }) as typeof response.writeHead;
    response.write = ((chunk: unknown, ...more: never[]) => {
      collect(chunk);
      return write(chunk, ...more);
    }) as typeof response.write;
    response.end = ((chunk: never, ...more: never[]) => {
      collect(chunk);
      return end(chunk, ...more);
    }) as typeof response.end;
    response.once('finish', () => {
      const { method = '', url: path = '' } = request;
      const text = Buffer.concat(chunks).toString();
      const violation = contractViolation({ method, port, path, status: response.statusCode, headers, text });
      if (violation !== undefined) violations.push(violation);
    });
  };
  app.server.prependListener('request', observe);
  const inject = app.inject.bind(app);
  app.inject = (async (options: InjectOptions & { readonly url: string }) => {
    const answer = await inject(options);
    const { method = 'GET', url } = options;
    const headers = new Headers(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
    const violation = contractViolation({
      method,
      port,
      path: url,
      status: answer.statusCode,
      headers,
      text: answer.body,
    });
    if (violation !== undefined) violations.push(violation);
    return answer;
  }) as typeof app.inject;
  return violations;
}

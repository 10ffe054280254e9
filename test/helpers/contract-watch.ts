import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { type SeenAnswer, contractFault } from './openapi.ts';

/** Like `fetch`, for the relay's own ports. @throws Error when the answer does not fit the contract */
export const contractFetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
  const answer = await fetch(url, init);
  const { pathname, search } = new URL(url);
  const { status, headers } = answer;
  const text = await answer.clone().text();
  const fault = contractFault({
    method: init.method ?? 'GET',
    path: pathname + search,
    status,
    headers,
    text,
  });
  if (fault !== undefined) throw new Error(`not as openapi.yaml says: ${fault}`);
  return answer;
};

/**
 * Holds every answer of an app that is about to listen against the contract, whoever asks: over the wire, and by `inject`.
 * @returns the faults so far
 */
export const watchAnswers = (app: FastifyInstance, port: SeenAnswer['port']): readonly string[] => {
  const faults: string[] = [];
  const watch = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    const write = response.write.bind(response);
    const end = response.end.bind(response);
    const writeHead = response.writeHead.bind(response);
    const headers = new Headers();
    const keep = (chunk: unknown): void => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    };
    response.writeHead = ((status: number, given: Record<string, unknown> = {}) => {
      for (const [name, value] of Object.entries({ ...response.getHeaders(), ...given }))
        headers.set(name, String(value));
      return writeHead(status, given as OutgoingHttpHeaders);
    }) as typeof response.writeHead;
    response.write = ((chunk: unknown, ...more: never[]) => {
      keep(chunk);
      return write(chunk, ...more);
    }) as typeof response.write;
    response.end = ((chunk: never, ...more: never[]) => {
      keep(chunk);
      return end(chunk, ...more);
    }) as typeof response.end;
    response.once('finish', () => {
      const { method = '', url: path = '' } = request;
      const text = Buffer.concat(chunks).toString();
      const fault = contractFault({ method, port, path, status: response.statusCode, headers, text });
      if (fault !== undefined) faults.push(fault);
    });
  };
  app.server.prependListener('request', watch);
  const inject = app.inject.bind(app);
  app.inject = (async (options: InjectOptions & { readonly url: string }) => {
    const answer = await inject(options);
    const { method = 'GET', url } = options;
    const headers = new Headers(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]));
    const fault = contractFault({
      method,
      port,
      path: url,
      status: answer.statusCode,
      headers,
      text: answer.body,
    });
    if (fault !== undefined) faults.push(fault);
    return answer;
  }) as typeof app.inject;
  return faults;
};

import { type HttpConnection, openConnection } from './http-connection.ts';

/**
 * A connection to a server that may be away: a request that it refuses or leaves unanswered has
 * status 0, and the next request connects again.
 */
export function reconnecting(url: URL): HttpConnection {
  let connection: HttpConnection | undefined;
  let answer: ((status: number) => void) | undefined;
  const settle = (status: number): void => {
    const onResponse = answer;
    answer = undefined;
    onResponse?.(status);
  };
  const fail = (): void => {
    connection = undefined;
    settle(0);
  };
  return {
    post(request, onResponse) {
      answer = onResponse;
      const send = (open: HttpConnection): void => {
        connection = open;
        open.post(request, settle);
      };
      if (connection === undefined) openConnection(url, fail).then(send, fail);
      else send(connection);
    },
    close: () => connection?.close(),
  };
}

import type { IncomingHttpHeaders } from 'node:http';
import type { JsonValue } from '../../../capillary/json.ts';
import type { Answer } from '../../adobe/exchange.ts';
import type { ApiCaller } from './api-tokens.ts';
import type { ApiResource, ApiRight } from './capillary-options.ts';
import type { CapillaryTwin } from './capillary-twin.ts';

/** The generation of an API, which decides the shape of its errors. */
export type ApiVersion = 'v1.1' | 'v2' | 'v3';

/** A call that has passed the gateway: token, rate limit and access group allow it. */
export interface CapillaryCall {
  readonly twin: CapillaryTwin;
  /** The API client whose token the call has. */
  readonly caller: ApiCaller;
  /** Parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Undefined without a body. */
  readonly body: JsonValue | undefined;
  /** The answer's `X-CAP-REQUEST-ID`: 32 hex digits. */
  readonly requestId: string;
  /** Epoch ms. */
  readonly now: number;
}

/** One route of Capillary's REST API. */
export interface CapillaryRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As Fastify writes it, with the version in front: `/v2/customers/:customerId`. */
  readonly path: string;
  /** What the access group must allow; every client may call a route without it. */
  readonly access?: { readonly resource: ApiResource; readonly rights: readonly ApiRight[] };
  /** The status for an expired token if it is not 401: pages of the event log answer 498. */
  readonly expiredStatus?: 498;
  readonly answer: (call: CapillaryCall) => Answer;
}

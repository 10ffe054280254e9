import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from '../exchange.ts';
import type { SimulatorState } from '../simulator-state.ts';
import type { Permission } from './permissions.ts';
import type { PlatformBody, Sandbox } from './sandbox.ts';

/** A call that has passed the gateway: token, headers, sandbox and permission are right. */
export interface PlatformCall {
  readonly state: SimulatorState;
  readonly sandbox: Sandbox;
  /** Parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: PlatformBody;
  /** Epoch ms. */
  readonly now: number;
}

/** One route of platform.adobe.io. */
export interface PlatformRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As Fastify writes it: `/data/foundation/catalog/dataSets/:id`. */
  readonly path: string;
  readonly permission?: Permission;
  readonly answer: (call: PlatformCall) => Answer;
}

/** Those that lists show by now: with `listLagMs` a new object is found by its id only. */
export function listable<T extends { readonly createdAt: number }>(
  objects: readonly T[],
  { state, now }: Pick<PlatformCall, 'state' | 'now'>,
): T[] {
  return objects.filter(({ createdAt }) => createdAt + state.settings.listLagMs <= now);
}

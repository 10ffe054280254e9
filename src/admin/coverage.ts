import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { text } from './fields.ts';
import { readInput } from './input.ts';
import { isoTime } from './iso-time.ts';

export interface CoverageFilter {
  readonly source?: string | undefined;
  readonly eventName?: string | undefined;
}

/** The payload fields of one event name that no mapping read. */
export interface CoverageAnswer {
  readonly source: string;
  readonly eventName: string;
  readonly mapping: 'own' | 'generic' | 'override';
  /** Events that were looked at. */
  readonly events: number;
  /** Most often first. `count`: events in which the field came and was not read; `example`: one value, masked. */
  readonly fields: readonly { readonly path: string; readonly count: number; readonly example: string }[];
  /** Times that fields came which are too many to be listed. */
  readonly more: number;
}

/** What the relay has seen since it was started; times in epoch ms. */
export interface CoverageSource {
  report(filter: CoverageFilter): { readonly since: number; readonly events: readonly CoverageAnswer[] };
}

const query = z.strictObject({ source: text().optional(), eventName: text().optional() });

/** What the mapping does not carry. */
export function coverageRoutes(
  app: FastifyInstance,
  { coverage }: { readonly coverage: CoverageSource },
): void {
  app.route({
    method: 'GET',
    url: '/coverage',
    handler: async (request) => {
      const { since, events } = coverage.report(readInput(query, request.query));
      return { since: isoTime(since), events };
    },
  });
}

import type { GeneratedEvent } from '../capillary-events.ts';
import { type ApiTokens, createApiTokens } from './api-tokens.ts';
import { type CallLimit, createCallLimit } from './call-limit.ts';
import type { CapillarySettings } from './capillary-options.ts';

/** The simulated Capillary of one organisation, shared by its routes. */
export interface CapillaryTwin {
  /** The organisation's id. */
  readonly org: number;
  readonly settings: CapillarySettings;
  readonly tokens: ApiTokens;
  readonly limit: CallLimit;
  /** Calls by method and path of their route, and by outcome. */
  readonly calls: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Number of events raised. */
  readonly raised: () => number;
  /** Counts a call; `outcome` is a status, `hang`, `reset` or `gone`. */
  countCall(route: string, outcome: string): void;
  /** An event has happened in the organisation. */
  raise(event: GeneratedEvent): void;
}

/** @param now epoch ms */
export function createCapillaryTwin(settings: CapillarySettings, now: () => number): CapillaryTwin {
  const calls = new Map<string, Map<string, number>>();
  let raised = 0;
  return {
    org: settings.orgId,
    settings,
    tokens: createApiTokens(settings, now),
    limit: createCallLimit(settings.callsPerMinute, now),
    calls,
    raised: () => raised,
    countCall: (route, outcome) => {
      const counts = calls.get(route) ?? new Map<string, number>();
      calls.set(route, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
    },
    raise: () => {
      raised += 1;
    },
  };
}

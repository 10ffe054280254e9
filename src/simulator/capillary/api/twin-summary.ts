import type { CapillaryTwin } from './capillary-twin.ts';

/** What the control API shows of the simulated Capillary, without header values. */
export interface CapillarySummary {
  readonly orgId: number;
  /** Events raised. */
  readonly raised: number;
  /** Tokens handed out. */
  readonly tokens: number;
  /** Calls by route and outcome. */
  readonly calls: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export function capillarySummary(twin: CapillaryTwin): CapillarySummary {
  return {
    orgId: twin.org,
    raised: twin.raised(),
    tokens: twin.tokens.generated(),
    calls: Object.fromEntries(
      [...twin.calls].map(([route, outcomes]) => [route, Object.fromEntries(outcomes)]),
    ),
  };
}

/** What an access group gives rights to (docs/platforms/capillary.md#api-access). */
export const API_RESOURCES = [
  'Customer',
  'Transaction',
  'Points',
  'Coupon',
  'Organization',
  'Product',
  'Store',
  'User Groups',
  'Webhooks',
] as const;

export type ApiResource = (typeof API_RESOURCES)[number];
export type ApiRight = 'read' | 'write';

/** An API client (OAuth) of the simulated Capillary. */
export interface SimulatedApiClient {
  readonly key: string;
  readonly secret: string;
  /** Rights of its access group; every right if absent. */
  readonly access?: Readonly<Partial<Record<ApiResource, readonly ApiRight[]>>>;
  /** Default the organisation of the twin. */
  readonly orgId?: number;
  /** Whether it sees personal data unmasked; default true. */
  readonly psiAccess?: boolean;
  /** Code of its default till, which signs what it creates; default `relay.till`. */
  readonly till?: string;
}

/** Options of the simulated Capillary. */
export interface CapillaryOptions {
  /** Default 100737. */
  readonly orgId?: number;
  /** If absent, any key and secret get a token with every right. */
  readonly clients?: readonly SimulatedApiClient[];
  /** Lifetime of a token; default 300 s. */
  readonly tokenTtlSeconds?: number;
  /**
   * The switch `CONF_ENABLE_OAUTH_TOKEN_REUSE`: for 30 s every call returns the same token; default
   * off.
   */
  readonly tokenReuse?: boolean;
  /** Calls per minute and key; default 0, no limit. */
  readonly callsPerMinute?: number;
}

/** The options with defaults. */
export interface CapillarySettings extends Required<Omit<CapillaryOptions, 'clients'>> {
  readonly clients: readonly SimulatedApiClient[] | undefined;
}

/** An organisation id of six digits, as in the samples. */
const DEFAULT_ORG_ID = 100_737;

export function resolveCapillaryOptions(options: CapillaryOptions = {}): CapillarySettings {
  return {
    orgId: options.orgId ?? DEFAULT_ORG_ID,
    clients: options.clients,
    tokenTtlSeconds: options.tokenTtlSeconds ?? 300,
    tokenReuse: options.tokenReuse ?? false,
    callsPerMinute: options.callsPerMinute ?? 0,
  };
}

import { TIMEOUT_MS } from '../webhook-client.ts';
import type { PresetWebhook } from './webhook-store.ts';
import { resolveWorldSettings, type WorldSettings, type WorldOptions } from '../world/world-settings.ts';

/** What an access group gives rights to (docs/platforms/capillary.md#api-access). */
const API_RESOURCES = [
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
  /** Webhooks that exist from the start, such as those of other teams. */
  readonly webhooks?: readonly PresetWebhook[];
  /** Dataflows that a webhook can bind, as its `possibleValues` list them; default none. */
  readonly neoDataflows?: readonly { readonly label: string; readonly value: string }[];
  /** Factor of the waits between attempts to deliver an event; default 1. */
  readonly retryScale?: number;
  /** Limit for a receiver's answer; default 30 s. */
  readonly responseTimeoutMs?: number;
  /** Share of delivered events that are sent once more; default 0. */
  readonly duplicates?: number;
  /**
   * Share of events of which no answer arrives that says they were accepted: their deliveries fail
   * after all attempts, though the receiver has the event; default 0.
   */
  readonly lostAnswers?: number;
  /** Host names that events may be posted to, besides this machine and private networks. */
  readonly hosts?: readonly string[];
  /** Entries of the delivery log to keep, default 100 000; the metrics count older ones too. */
  readonly maxLogged?: number;
  /** Customers, and how they are read. */
  readonly world?: WorldOptions;
}

/** The options with defaults. */
export interface CapillarySettings extends Required<Omit<CapillaryOptions, 'clients' | 'world'>> {
  readonly clients: readonly SimulatedApiClient[] | undefined;
  readonly world: WorldSettings;
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
    webhooks: options.webhooks ?? [],
    neoDataflows: options.neoDataflows ?? [],
    retryScale: options.retryScale ?? 1,
    responseTimeoutMs: options.responseTimeoutMs ?? TIMEOUT_MS,
    duplicates: options.duplicates ?? 0,
    lostAnswers: options.lostAnswers ?? 0,
    hosts: options.hosts ?? [],
    maxLogged: options.maxLogged ?? 100_000,
    world: resolveWorldSettings(options.world),
  };
}

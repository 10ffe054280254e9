import {
  type CapillaryOptions,
  type CapillarySettings,
  resolveCapillaryOptions,
} from '../capillary/api/capillary-options.ts';
import type { NotificationOptions } from './batch-notifications.ts';
import { type FaultRule, type FaultRuleInput, parseFaultRules } from './fault-script.ts';
import {
  type PlatformOptions,
  type PlatformSettings,
  resolvePlatformOptions,
} from './platform/platform-state.ts';
import { RECORD_LIMITS, type RecordLimits } from './record-violations.ts';

/** A credential of the simulated IMS. */
export interface SimulatedCredential {
  readonly clientId: string;
  /** Adobe allows two at a time. */
  readonly secrets: readonly string[];
  /** The allowed scopes; any if absent. */
  readonly scopes?: readonly string[];
}

export interface SimulatedInlet {
  readonly id: string;
  /** The organisation of the inlet; any if absent. */
  readonly imsOrgId?: string;
  /** `raw` accepts payloads for Data Prep; default `xdm`. */
  readonly dataType?: 'xdm' | 'raw';
}

export interface SimulatorOptions {
  /** Default 0: a free port. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** For random choices in faults; default 1. */
  readonly seed?: number;
  /** Lifetime of a token; default 24 h. */
  readonly tokenTtlMs?: number;
  /** If absent, any client id and secret get a token. */
  readonly credentials?: readonly SimulatedCredential[];
  /** Whether the inlet requires a token; default true. */
  readonly requireAuth?: boolean;
  /** If absent, every inlet id exists. */
  readonly inlets?: readonly SimulatedInlet[];
  /** For inlets without their own; default `xdm`. */
  readonly dataType?: 'xdm' | 'raw';
  /** Datasets that accept raw payloads in every inlet. */
  readonly rawDatasets?: readonly string[];
  /** Identity namespaces of the sandbox; if absent, every code exists. */
  readonly namespaces?: readonly string[];
  /** The organisation as the platform API shows it. */
  readonly platform?: PlatformOptions;
  /** Whether only the inlets exist that the platform API made; default false. */
  readonly empty?: boolean;
  /**
   * Data of a dataflow that was made or changed less than this ago is lost without notice; default
   * 5 min (docs/platforms/adobe.md#delays).
   */
  readonly warmUpMs?: number;
  /** From the answer of an inlet that the platform API made to the data lake; default 2 s. */
  readonly validationDelayMs?: number;
  /** Larger events reach the data lake, but not Profile, without notice; default 10,000 bytes. */
  readonly profileEventBytes?: number;
  /** The same for the records of profiles; default 100,000 bytes. */
  readonly profileRecordBytes?: number;
  /**
   * From the creation of an object of the platform API until lists show it; default 0. By its id
   * it is found at once.
   */
  readonly listLagMs?: number;
  /** Where Adobe I/O Events reports batches; default nowhere. */
  readonly notifications?: NotificationOptions;
  readonly faults?: readonly FaultRuleInput[];
  readonly capillary?: CapillaryOptions;
  /** Records and people to keep, default 200 000 each. The counts stay exact. */
  readonly maxLanded?: number;
  /** Epoch ms; default the system clock. */
  readonly now?: () => number;
}

/** The options with defaults. */
export interface SimulatorSettings {
  readonly port: number;
  readonly host: string;
  readonly seed: number;
  readonly tokenTtlMs: number;
  readonly credentials: readonly SimulatedCredential[] | undefined;
  readonly requireAuth: boolean;
  readonly inlets: readonly SimulatedInlet[] | undefined;
  readonly dataType: 'xdm' | 'raw';
  readonly rawDatasets: readonly string[];
  readonly namespaces: readonly string[] | undefined;
  readonly platform: PlatformSettings;
  readonly isEmpty: boolean;
  readonly warmUpMs: number;
  readonly validationDelayMs: number;
  readonly profileLimits: RecordLimits;
  readonly listLagMs: number;
  readonly notifications: NotificationOptions | undefined;
  readonly faults: readonly FaultRule[];
  readonly capillary: CapillarySettings;
  readonly maxLanded: number;
  readonly now: () => number;
}

/** See docs/platforms/adobe.md#delays. */
export const DEFAULT_WARM_UP_MS = 300_000;
/** Adobe's own delay is up to an hour; this one is for people who wait. */
export const DEFAULT_VALIDATION_DELAY_MS = 2_000;

/** @throws FaultRuleError */
export function resolveOptions(options: SimulatorOptions): SimulatorSettings {
  return {
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    seed: options.seed ?? 1,
    tokenTtlMs: options.tokenTtlMs ?? 86_400_000,
    credentials: options.credentials,
    requireAuth: options.requireAuth ?? true,
    inlets: options.inlets,
    dataType: options.dataType ?? 'xdm',
    rawDatasets: options.rawDatasets ?? [],
    namespaces: options.namespaces,
    platform: resolvePlatformOptions(options.platform),
    isEmpty: options.empty ?? false,
    warmUpMs: options.warmUpMs ?? DEFAULT_WARM_UP_MS,
    validationDelayMs: options.validationDelayMs ?? DEFAULT_VALIDATION_DELAY_MS,
    profileLimits: {
      event: options.profileEventBytes ?? RECORD_LIMITS.event,
      profile: options.profileRecordBytes ?? RECORD_LIMITS.profile,
    },
    listLagMs: options.listLagMs ?? 0,
    notifications: options.notifications,
    faults: parseFaultRules(options.faults ?? []),
    capillary: resolveCapillaryOptions(options.capillary),
    maxLanded: options.maxLanded ?? 200_000,
    now: options.now ?? Date.now,
  };
}

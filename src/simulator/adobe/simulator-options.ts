import { type FaultRule, type FaultRuleInput, parseFaultRules } from './fault-script.ts';

/** A credential that the simulated IMS knows. */
export interface SimulatedCredential {
  readonly clientId: string;
  /** Adobe allows two at once. */
  readonly secrets: readonly string[];
  /** Scopes it may ask for; absent: any. */
  readonly scopes?: readonly string[];
}

/** An inlet that exists. */
export interface SimulatedInlet {
  readonly id: string;
  /** Organisation it belongs to; absent: any is taken. */
  readonly imsOrgId?: string;
  /** `raw` takes payloads for Data Prep; default `xdm`. */
  readonly dataType?: 'xdm' | 'raw';
}

export interface SimulatorOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Of what faults leave to chance; default 1. */
  readonly seed?: number;
  /** Life of a token in ms; default 24 h. */
  readonly tokenTtlMs?: number;
  /** Absent: any client and any secret are good. */
  readonly credentials?: readonly SimulatedCredential[];
  /** Whether the inlet wants a token; default true. */
  readonly requireAuth?: boolean;
  /** Absent: every inlet id exists. */
  readonly inlets?: readonly SimulatedInlet[];
  /** For inlets that do not say; default `xdm`. */
  readonly dataType?: 'xdm' | 'raw';
  /** Datasets that take raw payloads whatever the inlet. */
  readonly rawDatasets?: readonly string[];
  /** Identity namespaces of the sandbox; absent: every code exists. */
  readonly namespaces?: readonly string[];
  readonly faults?: readonly FaultRuleInput[];
  /** Landed records kept whole, and people kept in the profile view; default 200 000. Counts do not depend on it. */
  readonly maxLanded?: number;
  /** Epoch ms; for tests of expiry. */
  readonly now?: () => number;
}

/** Options with every default filled in. */
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
  readonly faults: readonly FaultRule[];
  readonly maxLanded: number;
  readonly now: () => number;
}

/** Throws FaultRuleError for rules that cannot be used. */
export function settle(options: SimulatorOptions): SimulatorSettings {
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
    faults: parseFaultRules(options.faults ?? []),
    maxLanded: options.maxLanded ?? 200_000,
    now: options.now ?? Date.now,
  };
}

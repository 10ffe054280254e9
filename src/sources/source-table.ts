import type { SourceConfig, VerifierConfig } from '../config/source-config.ts';
import { createAllowFrom } from './allow-from.ts';
import { checkVerifier } from './check-verifier.ts';
import { createHmacVerifier } from './hmac.ts';
import { createNeoVerifier } from './neo.ts';
import {
  createBasicVerifier,
  createBearerVerifier,
  createHeaderVerifier,
  createNoneVerifier,
} from './shared-secret.ts';
import { createSecretUsage, type UsedSecret } from './secret-usage.ts';
import { createStandardWebhooksVerifier } from './standard-webhooks.ts';
import {
  markVerified,
  type ReceivedRequest,
  type SourceVerdict,
  type SourceVerifier,
  type Verifier,
} from './verifier.ts';

/** A source as it is configured now. */
export interface ConfiguredSource {
  readonly config: SourceConfig;
  readonly verifier: SourceVerifier;
}

/** The sources by name. `set` applies corrected secrets without a restart. */
export interface SourceTable {
  get(name: string): ConfiguredSource | undefined;
  /** The names, in the order of the configuration. */
  names(): readonly string[];
  /** Every accepted static secret, and when a webhook came with it. Must not leave the process. */
  secrets(): readonly UsedSecret[];
  set(sources: readonly SourceConfig[]): void;
}

export function createSourceTable(sources: readonly SourceConfig[]): SourceTable {
  const usage = createSecretUsage();
  let table = new Map<string, ConfiguredSource>();
  const set = (next: readonly SourceConfig[]): void => {
    table = new Map(
      next.map((config) => {
        const used = (...use: Parameters<UseListener>): void => usage.record(config.name, ...use);
        return [config.name, { config, verifier: createSourceVerifier(config, used) }];
      }),
    );
    usage.set([...table].map(([source, { verifier }]) => ({ source, verifiers: verifier.secrets })));
  };
  set(sources);
  return {
    get: (name) => table.get(name),
    names: () => [...table.keys()],
    secrets: () => usage.list(),
    set,
  };
}

type Creators = {
  readonly [T in VerifierConfig['type']]: (config: Extract<VerifierConfig, { type: T }>) => Verifier;
};

const CREATORS: Creators = {
  header: createHeaderVerifier,
  basic: createBasicVerifier,
  bearer: createBearerVerifier,
  hmac: createHmacVerifier,
  'standard-webhooks': createStandardWebhooksVerifier,
  neo: createNeoVerifier,
  none: createNoneVerifier,
};

/** Receives each static secret that has verified a request, with the time of its receipt. */
type UseListener = (verifier: string, secret: string, at: number) => void;

/**
 * Verifies the requests of one source: the address must be allowed, and one verifier must pass. A
 * source without verifiers refuses everything.
 * @throws Error if `checkVerifier` finds a problem in the configuration
 */
export function createSourceVerifier(
  source: Pick<SourceConfig, 'verify' | 'allowFrom'>,
  onUse: UseListener = () => undefined,
): SourceVerifier {
  const isAllowed = createAllowFrom(source.allowFrom);
  const verifiers = source.verify.map(createVerifier);
  const withoutBody = verifiers.filter(({ coversBody }) => !coversBody);
  const verifyBy = (accepted: readonly Verifier[], request: ReceivedRequest): SourceVerdict => {
    if (!isAllowed(request.ip)) {
      return { ok: false, reasons: ['ip-not-allowed'] };
    }
    const reasons: string[] = [];
    for (const verifier of accepted) {
      const verdict = verifier.verify(request);
      if (verdict.ok) {
        if (verdict.secret !== undefined) onUse(verifier.name, verdict.secret, request.receivedAt);
        return { ok: true, request: markVerified(request, verifier.name) };
      }
      reasons.push(verdict.code);
    }
    return { ok: false, reasons };
  };
  return {
    names: verifiers.map(({ name }) => name),
    secrets: verifiers.map(({ name, secrets }) => ({ verifier: name, secrets })),
    verify: (request) => verifyBy(verifiers, request),
    verifyWithoutBody: (request) => verifyBy(withoutBody, request),
  };
}

function createVerifier<T extends VerifierConfig['type']>(
  config: Extract<VerifierConfig, { type: T }>,
): Verifier {
  const problem = checkVerifier(config);
  if (problem !== undefined) {
    throw new Error(`verify: ${config.type}: ${problem}`);
  }
  return CREATORS[config.type](config);
}

/** A static secret that a source accepts. */
export interface UsedSecret {
  readonly source: string;
  /** Name of the verifier, such as `header:x-relay-key`. */
  readonly verifier: string;
  /** Must not leave the process. */
  readonly secret: string;
  /** Receipt of the last request that it has verified, epoch ms; absent: none since the start. */
  readonly lastVerifiedAt?: number;
}

interface AcceptedSecrets {
  readonly source: string;
  readonly verifiers: readonly { readonly verifier: string; readonly secrets: readonly string[] }[];
}

/** Which of the accepted secrets the senders use, so that an unused one can be removed. */
export interface SecretUsage {
  /** Replaces the accepted secrets; what is known of those that stay is kept. */
  set(accepted: readonly AcceptedSecrets[]): void;
  record(source: string, verifier: string, secret: string, at: number): void;
  list(): readonly UsedSecret[];
}

/** No part of a key can contain this character. */
const SEPARATOR = '\u0000';

function keyOf(source: string, verifier: string, secret: string): string {
  return [source, verifier, secret].join(SEPARATOR);
}

export function createSecretUsage(): SecretUsage {
  let used = new Map<string, UsedSecret>();
  return {
    set(accepted) {
      const next = accepted.flatMap(({ source, verifiers }) =>
        verifiers.flatMap(({ verifier, secrets }) => secrets.map((secret) => ({ source, verifier, secret }))),
      );
      used = new Map(
        next.map((entry) => {
          const key = keyOf(entry.source, entry.verifier, entry.secret);
          return [key, used.get(key) ?? entry];
        }),
      );
    },
    record(source, verifier, secret, at) {
      const key = keyOf(source, verifier, secret);
      const entry = used.get(key);
      // A request of the quarantine was received earlier than others that have been verified since.
      if (entry === undefined || (entry.lastVerifiedAt ?? 0) >= at) return;
      used.set(key, { ...entry, lastVerifiedAt: at });
    },
    list: () => [...used.values()],
  };
}

/** The client secrets of one credential: Adobe lets it have two at once while one replaces the other (adobe.md §1.6). */
export interface SecretRing {
  /** The one that worked last first, then the others in the order given. */
  inOrder(): readonly string[];
  worked(secret: string): void;
  /**
   * Takes new secrets, to be tried in their own order again: the one that worked may be the one to be retired. Empty ones are left out,
   * and a list of nothing else is not taken (a file caught while being written).
   * @returns whether anything changed
   */
  replace(secrets: readonly string[]): boolean;
  /** Changes with every replacement. */
  version(): number;
}

export function createSecretRing(first: readonly string[]): SecretRing {
  let secrets = first.filter((secret) => secret !== '');
  let preferred: string | undefined;
  let version = 0;

  return {
    inOrder: () =>
      preferred === undefined ? secrets : [preferred, ...secrets.filter((secret) => secret !== preferred)],
    worked(secret) {
      if (secrets.includes(secret)) preferred = secret;
    },
    replace(next) {
      const given = next.filter((secret) => secret !== '');
      const same = given.length === secrets.length && given.every((secret, at) => secret === secrets[at]);
      if (same || given.length === 0) return false;
      secrets = given;
      preferred = undefined;
      version += 1;
      return true;
    },
    version: () => version,
  };
}

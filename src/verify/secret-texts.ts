/** Secrets that can match at all: an empty one never does, whatever a sender leaves out. */
export const usableSecrets = (secrets: readonly string[]): readonly string[] =>
  secrets.filter((secret) => secret.trim() !== '');

/**
 * The forms in which a secret text can arrive in a header: Node reads header bytes as Latin-1, so one with letters outside of
 * ASCII looks different when the sender wrote UTF-8. Trimmed, as header values are.
 */
export const headerForms = (secrets: readonly string[]): readonly string[] =>
  usableSecrets(secrets).flatMap((secret) => [
    ...new Set([secret.trim(), Buffer.from(secret).toString('latin1').trim()]),
  ]);

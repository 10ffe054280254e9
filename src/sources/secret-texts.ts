/** Secrets that can match at all: an empty one never does, whatever a sender leaves out. */
export function usableSecrets(secrets: readonly string[]): readonly string[] {
  return secrets.filter((secret) => secret.trim() !== '');
}

/**
 * The forms in which a secret text can arrive in a header: Node reads header bytes as Latin-1, so one with letters outside of
 * ASCII looks different when the sender wrote UTF-8. Trimmed, as header values are.
 */
export function headerForms(secrets: readonly string[]): readonly string[] {
  return usableSecrets(secrets).flatMap((secret) => [
    ...new Set([secret.trim(), Buffer.from(secret).toString('latin1').trim()]),
  ]);
}

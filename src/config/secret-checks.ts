import { isLoopback, isPrivateHost } from './address-checks.ts';
import type { Finding, Path } from './config-error.ts';
import type { DestinationDraft, Draft, SourceDraft } from './draft.ts';
import type { VerifierConfig } from './verifier-config.ts';

/** Below it, a secret can be guessed. */
const MIN_SECRET_LENGTH = 16;

const PLACEHOLDERS =
  /…|\.\.\.|\{\{.*\}\}|^(<.*>|x+|(my|your|the|a)?[-_ ]?(change[-_ ]?me|secret|password|passwd|token|key|todo|test|example|replace[-_ ]?me)[-_ ]?(here)?)$/i;

/** Secrets at one place of the configuration. */
interface Secrets {
  readonly path: Path;
  readonly values: readonly string[];
  /** How to get a better one. */
  readonly fix: string;
  /** Sent in a header as they are. */
  readonly inHeader?: boolean;
  /** It protects nothing that others can reach, so a weak one is no problem. */
  readonly isLocal?: boolean;
}

const CREATE = 'create one with: openssl rand -hex 32';

/** Why a sender cannot send this text as the value of a header, as HTTP defines it. */
function headerProblem(text: string): string | undefined {
  if (text !== text.trim()) return 'begins or ends with a blank, which HTTP removes from a header';
  // Tabs are allowed inside a value, and the bytes above ASCII, which Node reads as Latin-1.
  if (/[^\t\x20-\x7e\x80-\xff]/.test(text))
    return 'has a character that a header cannot contain: a control character, or one such as “…” that is not in Latin-1';
  return undefined;
}

function weakness(text: string): string | undefined {
  if (PLACEHOLDERS.test(text)) return 'looks like a placeholder and not like a secret';
  return text.length < MIN_SECRET_LENGTH
    ? `is shorter than ${MIN_SECRET_LENGTH} characters, so it can be guessed`
    : undefined;
}

function findingsOf({ path, values, fix, inHeader = false, isLocal = false }: Secrets): Finding[] {
  const used = values.filter((value) => value.trim() !== '');
  const what = values.length > 1 ? 'one of the secrets ' : '';
  const refused = inHeader ? used.map(headerProblem).find((problem) => problem !== undefined) : undefined;
  if (refused !== undefined)
    return [{ path, message: `${what}${refused}`, fix: `write the real value; ${fix}` }];
  const weak = isLocal ? undefined : used.map(weakness).find((problem) => problem !== undefined);
  return weak === undefined ? [] : [{ path, message: `${what}${weak}`, fix, severity: 'warning' }];
}

function verifierSecrets(verifier: VerifierConfig, path: Path, isLocal: boolean): Secrets[] {
  const own = (key: string, values: readonly string[], inHeader = false): Secrets => ({
    path: [...path, key],
    values,
    fix: `${CREATE}, and give it to the sender`,
    inHeader,
    isLocal,
  });
  switch (verifier.type) {
    case 'header':
      return [own('values', verifier.values, true)];
    case 'basic':
      return [own('passwords', verifier.passwords)];
    case 'bearer':
      return [own('tokens', verifier.tokens, true)];
    case 'neo':
      return [{ ...own('apiKey', [verifier.apiKey], true), isLocal: true }, own('secret', [verifier.secret])];
    case 'hmac':
    case 'standard-webhooks':
      return [own('secrets', verifier.secrets)];
    case 'none':
      return [];
  }
}

function sourceSecrets({ verify = [] }: SourceDraft, index: number, isLocal: boolean): Secrets[] {
  return verify.flatMap((verifier, at) =>
    verifierSecrets(verifier, ['sources', index, 'verify', at], isLocal),
  );
}

function destinationSecrets({ ims }: DestinationDraft, index: number): Secrets[] {
  if (ims === undefined) return [];
  return [
    {
      path: ['destinations', index, 'ims', 'clientSecrets'],
      values: ims.clientSecrets,
      fix: 'copy the client secret from the Adobe Developer Console',
      isLocal: isPrivateHost(new URL(ims.url).hostname),
    },
  ];
}

/** True also for an invalid host, which is reported already. */
function isLocalServer(host: string | undefined): boolean {
  return host === undefined || isLoopback(host);
}

/**
 * Secrets that cannot arrive in a header, and those that are easy to guess. On a server that
 * listens on loopback only, as in a trial, any secret will do.
 */
export function secretFindings({ server, admin, sources, destinations }: Draft): Finding[] {
  const secrets: Secrets[] = [
    {
      path: ['admin', 'token'],
      values: admin.token === undefined ? [] : [admin.token],
      fix: CREATE,
      inHeader: true,
      isLocal: isLocalServer(admin.host),
    },
    ...sources.flatMap((source, index) => sourceSecrets(source, index, isLocalServer(server.host))),
    ...destinations.flatMap(destinationSecrets),
  ];
  return secrets.flatMap(findingsOf);
}

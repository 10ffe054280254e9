import type { Finding } from './config-error.ts';
import { addressFindings, isLoopback } from './address-checks.ts';
import { destinationFindings } from './destination-checks.ts';
import { type Draft, draftOf, type SourceCheck } from './draft.ts';
import { enrichFindings } from './enrich-checks.ts';
import { reconcileFindings } from './reconcile-checks.ts';
import { nearest } from './nearest.ts';
import { orgFindings } from './org-checks.ts';
import { secretFindings } from './secret-checks.ts';
import { sharedWebhookFindings } from './shared-webhooks.ts';
import { engineFindings } from './store-checks.ts';

const DAY_MS = 86_400_000;

/**
 * Capillary promises to retry an event for up to seven days (docs/platforms/capillary.md#patience).
 * If its id has been deleted before, the event is accepted twice.
 */
export const MIN_ID_RETENTION_MS = 7 * DAY_MS;

function retentionFindings({ store: { retention } }: Draft): Finding[] {
  if (retention === undefined) return [];
  const path = ['store', 'retention', 'ids'];
  if (retention.ids < MIN_ID_RETENTION_MS)
    return [
      {
        path,
        message:
          'is below 7d, the time for which Capillary promises to retry an event: a repeat could be delivered again',
        fix: 'set it to 7d or more; the default is 8d',
      },
    ];
  if (retention.ids < retention.delivered)
    return [
      {
        path,
        message: 'is below store.retention.delivered: a stored event would not be detected as a duplicate',
        fix: 'set it to store.retention.delivered or more',
      },
    ];
  return [];
}

const KEY_BYTES = 32;

/**
 * An AES-256 key, given as base64 or base64url of 32 bytes or as 64 hexadecimal digits; undefined
 * if it is neither.
 */
export function parseEncryptionKey(text: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined;
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES ? key : undefined;
}

function keyFindings({ store: { encryptionKeys = [] } }: Draft): Finding[] {
  return encryptionKeys.some((key) => parseEncryptionKey(key) === undefined)
    ? [
        {
          path: ['store', 'encryptionKeys'],
          message: 'contains a key that is not 32 bytes as base64 or 64 hexadecimal digits',
          fix: 'create a key with: openssl rand -base64 32',
        },
      ]
    : [];
}

function portFindings({ server, admin }: Draft): Finding[] {
  const findings: Finding[] = [];
  if (admin.host !== undefined && !isLoopback(admin.host) && 'token' in admin && admin.token === undefined)
    findings.push({
      path: ['admin', 'token'],
      message: `is missing or empty, but other machines can reach admin.host ${admin.host}`,
      fix: 'set admin.token to a long random string (openssl rand -hex 32), or admin.host to 127.0.0.1',
    });
  if (server.port !== undefined && server.port !== 0 && server.port === admin.port)
    findings.push({
      path: ['admin', 'port'],
      message: `is ${server.port}, the same as server.port`,
      fix: 'use a different port for the admin server',
    });
  return findings;
}

function duplicateNameFindings(list: 'sources' | 'destinations', draft: Draft): Finding[] {
  const names = draft[list].map(({ name }) => name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (name === undefined || first === index) return [];
    return [
      {
        path: [list, index, 'name'],
        message: `${name} is already the name of ${list}[${first}]`,
        fix: 'choose a unique name',
      },
    ];
  });
}

function routeFindings({ sources, destinations }: Draft): Finding[] {
  const known = destinations.flatMap(({ name }) => (name === undefined ? [] : [name]));
  // The source may mean a destination whose name is invalid.
  if (known.length < destinations.length) return [];
  return sources.flatMap(({ destination }, index) => {
    if (destination === undefined || known.includes(destination)) return [];
    return [
      {
        path: ['sources', index, 'destination'],
        message: `there is no destination with the name ${destination}`,
        fix: `write \`destination: ${nearest(destination, known) ?? known[0]}\`; the destinations are ${known.join(', ')}`,
      },
    ];
  });
}

/** Written like an abbreviation, but each names one zone only. */
const CLEAR_ZONES: ReadonlySet<string> = new Set('UTC GMT UCT ZULU PRC ROC ROK CUBA EIRE IRAN'.split(' '));

/** What Node accepts although people in several zones use it, such as IST in India and Ireland. */
function timezoneFindings({ sources }: Draft): Finding[] {
  return sources.flatMap(({ timezone }, index) => {
    if (timezone === undefined || !/^[A-Za-z]{3,4}$/.test(timezone)) return [];
    if (CLEAR_ZONES.has(timezone.toUpperCase())) return [];
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions();
    const meaning = timeZone === timezone ? 'which has no daylight saving time' : `read as ${timeZone}`;
    return [
      {
        path: ['sources', index, 'timezone'],
        message: `is the abbreviation ${timezone}, ${meaning}; others mean another zone by it`,
        fix: 'write a zone by its place, such as `timezone: Asia/Kolkata`',
        severity: 'warning',
      },
    ];
  });
}

function sourceFindings({ sources }: Draft, checks: readonly SourceCheck[]): Finding[] {
  return sources.flatMap((source, index) =>
    checks
      .flatMap((check) => check(source))
      .map((finding) => ({ ...finding, path: ['sources', index, ...finding.path] })),
  );
}

/**
 * Problems between keys whose values are valid on their own, and those that the source checks find.
 */
export function crossFindings(tree: unknown, checks: readonly SourceCheck[]): Finding[] {
  const draft = draftOf(tree);
  return [
    ...portFindings(draft),
    ...engineFindings(draft, tree),
    ...retentionFindings(draft),
    ...keyFindings(draft),
    ...secretFindings(draft),
    ...timezoneFindings(draft),
    ...duplicateNameFindings('sources', draft),
    ...duplicateNameFindings('destinations', draft),
    ...routeFindings(draft),
    ...orgFindings(draft),
    ...sourceFindings(draft, checks),
    ...sharedWebhookFindings(draft),
    ...enrichFindings(draft),
    ...reconcileFindings(draft),
    ...destinationFindings(draft),
    ...addressFindings(draft),
  ];
}

import type { Finding } from './config-error.ts';
import type { Draft } from './draft.ts';
import { parseEncryptionKey } from './encryption-key.ts';
import { isLoopback } from './loopback.ts';

const DAY = 86_400_000;

/** Capillary repeats an event for at least seven days (its delivery documentation); a forgotten id would let it in twice. */
const CAPILLARY_REPEATS = 7 * DAY;

function retentionFindings({ store: { retention } }: Draft): Finding[] {
  if (retention === undefined) return [];
  const path = ['store', 'retention', 'ids'];
  if (retention.ids < CAPILLARY_REPEATS)
    return [
      {
        path,
        message:
          'is below 7d, the time for which Capillary may repeat an event: a repeat would be delivered again',
        cure: 'set it to 7d or more; 8d is the default',
      },
    ];
  if (retention.ids < retention.delivered)
    return [
      {
        path,
        message: 'is below store.retention.delivered: a kept event would not be known as seen',
        cure: 'set it to store.retention.delivered or more',
      },
    ];
  return [];
}

function keyFindings({ store: { encryptionKeys = [] } }: Draft): Finding[] {
  return encryptionKeys.some((key) => parseEncryptionKey(key) === undefined)
    ? [
        {
          path: ['store', 'encryptionKeys'],
          message: 'holds a key that is not 32 bytes written as base64 or as 64 hexadecimal digits',
          cure: 'make a key with: openssl rand -base64 32',
        },
      ]
    : [];
}

/** Checks of the store, beyond what each key can tell by itself. */
export function storeFindings(draft: Draft): Finding[] {
  return [
    ...(draft.store.engine === 'jetstream'
      ? [
          {
            path: ['store', 'engine'],
            message: 'jetstream is not in this version, which has sqlite only',
            cure: 'write `engine: sqlite`, or leave the line out',
          },
        ]
      : []),
    ...retentionFindings(draft),
    ...keyFindings(draft),
  ];
}

/** Checks of the two ports. */
export function portFindings({ server, admin }: Draft): Finding[] {
  const findings: Finding[] = [];
  if (admin.host !== undefined && !isLoopback(admin.host) && 'token' in admin && admin.token === undefined)
    findings.push({
      path: ['admin', 'token'],
      message: `is missing or empty, while admin.host ${admin.host} can be reached from other machines`,
      cure: 'set admin.token to a long random text (openssl rand -hex 32), or admin.host to 127.0.0.1',
    });
  if (server.port !== undefined && server.port !== 0 && server.port === admin.port)
    findings.push({
      path: ['admin', 'port'],
      message: `is ${server.port}, which is server.port too`,
      cure: 'give the admin server a port of its own',
    });
  return findings;
}

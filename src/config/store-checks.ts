import type { Finding } from './config-error.ts';
import type { Draft } from './draft.ts';
import { valueAt } from './json-schema.ts';
import { parseStoreUrl, storeUrlProblem } from './store-url.ts';

/** Keys of `store` that one engine has and the other one has not. */
const KEYS_OF = {
  sqlite: ['path', 'expect', 'minFree'],
  postgres: ['url', 'schema', 'connections'],
} as const;

const EXAMPLE = 'postgres://relay:${file:/run/secrets/pg}@db:5432/relay?sslmode=verify-full';

function foreignKeys(engine: keyof typeof KEYS_OF, tree: unknown): Finding[] {
  const other = engine === 'sqlite' ? 'postgres' : 'sqlite';
  return KEYS_OF[other]
    .filter((key) => valueAt(tree, ['store', key]) !== undefined)
    .map((key) => ({
      path: ['store', key],
      message: `is a key of the engine ${other}, but store.engine is ${engine}`,
      fix: `remove it, or write \`engine: ${other}\``,
    }));
}

/** A connection that others on the network can read, or that does not verify whom it talks to. */
function tlsFindings(url: string): Finding[] {
  const parts = parseStoreUrl(url);
  if (parts === undefined) return [];
  const isLocal = parts.hosts
    .split(',')
    .every((host) => host === '' || /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(host));
  const mode = new URLSearchParams(parts.query).get('sslmode');
  if (isLocal || mode === 'verify-full' || mode === 'verify-ca') return [];
  return [
    {
      path: ['store', 'url'],
      message:
        mode === 'require' || mode === 'no-verify'
          ? `has sslmode=${mode}, so the certificate of the server is not verified`
          : 'has no sslmode that enforces TLS, so events and the password may cross the network unencrypted',
      fix: 'append ?sslmode=verify-full, and &sslrootcert=/path/ca.pem if the CA is not one of the system',
      severity: 'warning',
    },
  ];
}

/** Of the parts of a URL; that it is one is checked by the schema. */
function urlFindings(url: string): Finding[] {
  const problem = parseStoreUrl(url) && storeUrlProblem(url);
  if (problem === undefined) return tlsFindings(url);
  return [{ path: ['store', 'url'], message: problem, fix: `write it like ${EXAMPLE}` }];
}

/** Problems of `store.engine` and of the keys that depend on it. */
export function engineFindings({ store: { engine, url } }: Draft, tree: unknown): Finding[] {
  if (engine === undefined) return [];
  const foreign = foreignKeys(engine, tree);
  if (engine === 'sqlite') return foreign;
  if (valueAt(tree, ['store', 'url']) === undefined)
    return [
      ...foreign,
      {
        path: ['store', 'url'],
        message: 'is missing, but store.engine is postgres',
        fix: `add \`url: ${EXAMPLE}\``,
      },
    ];
  return [...foreign, ...(url === undefined ? [] : urlFindings(url))];
}

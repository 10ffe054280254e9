import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { type LoadedConfig, readConfig } from '../../src/config/load-config.ts';
import { createPrivateCa } from './private-ca.ts';

/** Folder in which the manifests and the chart mount the Secret. */
export const SECRETS = '/run/secrets/relay';

/** Folder in which the pods of mode replicas have the password of the database and its CA. */
export const DATABASE_FILES = '/run/secrets/database';

/** Folder in which the chart mounts the certificates for `egress.ca`. */
const EGRESS_FILES = '/run/secrets/egress';

/**
 * Names of the files of the mounted Secret that a configuration refers to, without repeats, sorted.
 */
export function secretNames(text: string): string[] {
  return [
    ...new Set([...text.matchAll(/\$\{file:\/run\/secrets\/relay\/([^}]+)\}/g)].map(([, name = '']) => name)),
  ].toSorted();
}

/** Loads a configuration as in the pod: each file of the Secret exists and has a valid value. */
export function loadMounted(text: string): LoadedConfig {
  const folder = mkdtempSync(join(tmpdir(), 'relay-secrets-'));
  const secret = Buffer.alloc(32, 7).toString('base64');
  try {
    for (const name of secretNames(text)) writeFileSync(join(folder, name), `${secret}\n`);
    writeFileSync(join(folder, 'password'), 'a password\n');
    writeFileSync(join(folder, 'ca.crt'), createPrivateCa().pem);
    return readConfig(
      [SECRETS, DATABASE_FILES, EGRESS_FILES].reduce(
        (moved, mounted) => moved.replaceAll(`\${file:${mounted}/`, `\${file:${folder}/`),
        text,
      ),
      'relay.yaml',
      {},
      SOURCE_CHECKS,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity in bytes. */
export function bytesOf(quantity: string): number {
  const [, number = '', unit = ''] = /^([\d.]+)(\w*)$/.exec(quantity) ?? [];
  const factor = UNITS[unit];
  if (number === '' || factor === undefined) throw new Error(`not a size: ${quantity}`);
  return Number(number) * factor;
}

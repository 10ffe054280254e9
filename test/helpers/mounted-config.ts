import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedConfig, readConfig } from '../../src/config/load.ts';

/** Where the manifests and the chart mount the Secret. */
export const SECRETS = '/run/secrets/relay';

/** Names of the files below the mounted Secret that a configuration asks for, each once, in order. */
export const secretNames = (text: string): string[] =>
  [
    ...new Set([...text.matchAll(/\$\{file:\/run\/secrets\/relay\/([^}]+)\}/g)].map(([, name = '']) => name)),
  ].toSorted();

/** Loads a configuration as it would be in the pod: each file of the Secret is there, with a value that any secret may have. */
export const loadMounted = (text: string): LoadedConfig => {
  const folder = mkdtempSync(join(tmpdir(), 'relay-secrets-'));
  const secret = Buffer.alloc(32, 7).toString('base64');
  try {
    for (const name of secretNames(text)) writeFileSync(join(folder, name), `${secret}\n`);
    return readConfig(text.replaceAll(`\${file:${SECRETS}/`, `\${file:${folder}/`), 'relay.yaml', {});
  } finally {
    rmSync(folder, { recursive: true });
  }
};

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SOURCE_CHECKS } from '../../src/cli/source-checks.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { shellLines } from '../docs/shell-lines.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Runs the lines one after the other, as if pasted. */
function paste(lines: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync('sh', ['-e', '-c', lines.join('\n')], {
    cwd,
    env: { ...process.env, IMS_CLIENT_SECRET: 'client-secret-of-the-tests' },
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

describe('the commands of a page create the files that they use', () => {
  it('docs/deploy.md, under systemd: the configuration passes the check', () => {
    const folder = scratch();
    const all = shellLines('docs/deploy.md');
    const lines = all
      .slice(
        all.findIndex((line) => line.startsWith('install -d')),
        all.findIndex((line) => line.startsWith('chgrp')),
      )
      .map((line) => line.replace(' -g capillary-relay', '').replaceAll('/etc/relay', `${folder}/relay`));
    expect(lines.length).toBeGreaterThan(4);
    paste(lines, ROOT);
    const file = join(folder, 'relay/relay.yaml');
    // The paths in the file are those of the page.
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('/run/secrets');
    const { config, warnings } = loadConfig(file, {}, SOURCE_CHECKS);
    expect(warnings).toEqual([]);
    expect(config.store.path).toBe('/var/lib/capillary-aep-relay');
    expect(config.destinations[0]?.ims?.clientSecrets).toEqual(['client-secret-of-the-tests']);
  });

  it('docs/kubernetes.md: every file of the Secret', () => {
    const folder = scratch();
    const all = shellLines('docs/kubernetes.md');
    const create = all.findIndex((line) => line.includes('create secret generic'));
    const files = [...(all[create] ?? '').matchAll(/--from-file=[\w-]+=([\w-]+)/g)].map(([, name]) => name);
    expect(files).toHaveLength(5);
    paste(all.slice(all.indexOf('umask 077'), create), folder);
    for (const name of files) expect(readFileSync(join(folder, name ?? ''), 'utf8').trim()).not.toBe('');
  });
});

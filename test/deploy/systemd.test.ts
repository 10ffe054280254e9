import { existsSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/command-error.ts';
import { parseCommand } from '../docs/parse-command.ts';
import { pathOf, textOf, treeOf } from './files.ts';

const CLONE = '/opt/capillary-aep-relay';
const unit = textOf('deploy/systemd/capillary-aep-relay.service');
const settings = new Map(
  unit
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
);
const page = textOf('docs/deploy.md');

describe('deploy/systemd/capillary-aep-relay.service', () => {
  it('starts a command of the clone that exists, and reads a page that exists', async () => {
    const [command = '', ...words] = settings.get('ExecStart')?.split(' ') ?? [];
    expect(settings.get('WorkingDirectory')).toBe(CLONE);
    expect(statSync(pathOf(command.replace(`${CLONE}/`, ''))).mode & 0o111).toBe(0o111);
    expect(await parseCommand(words)).toEqual(['serve']);
    expect(existsSync(pathOf(settings.get('Documentation')?.replace(`file://${CLONE}/`, '') ?? ''))).toBe(
      true,
    );
  });

  it('starts it again unless the configuration is refused, and gives it longer to stop than it needs', () => {
    expect(Object.fromEntries(settings)).toMatchObject({
      Restart: 'always',
      RestartPreventExitStatus: String(EXIT.usage),
      StartLimitIntervalSec: '0',
      KillSignal: 'SIGTERM',
      ExecReload: 'kill -HUP $MAINPID',
    });
    const [, ms = ''] =
      /const SHUTDOWN_TIMEOUT_MS = ([\d_]+);/.exec(textOf('src/cli/serve-command.ts')) ?? [];
    const stopMs = Number.parseInt(settings.get('TimeoutStopSec') ?? '') * 1000;
    expect(stopMs).toBeGreaterThan(2 * Number(ms.replaceAll('_', '')));
  });

  it('has the memory of the pod', () => {
    const { limits } = treeOf('deploy/helm/capillary-aep-relay/values.yaml').resources;
    expect(`${settings.get('MemoryMax')}i`).toBe(limits.memory);
  });

  it('is installed by docs/deploy.md, with its user, its store and its secrets', () => {
    const user = settings.get('User');
    expect(settings.get('Group')).toBe(user);
    for (const text of [
      'deploy/systemd/capillary-aep-relay.service',
      `useradd --system --no-create-home --shell /usr/sbin/nologin ${user}`,
      `chgrp -R ${user} /etc/relay`,
      `usermod -aG ${user} `,
      '/usr/local/bin/capillary-relay',
      'export RELAY_CONFIG=/etc/relay/relay.yaml',
      `path: /var/lib/${settings.get('StateDirectory')}`,
      `git clone`,
      CLONE,
    ])
      expect(page).toContain(text);
    expect(settings.get('Environment')).toContain('RELAY_CONFIG=/etc/relay/relay.yaml');
  });
});

it('.ci/run verifies the unit', () => {
  expect(textOf('.ci/run')).toContain('bash deploy/check-systemd.sh');
});

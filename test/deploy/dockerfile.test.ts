import { existsSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pathOf, textOf } from './files.ts';

/** Instructions of the Dockerfile, each on one line, without comments. */
const instructions = textOf('Dockerfile')
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .join('\n')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '');

function argumentsOf(name: string): string[] {
  return instructions
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1));
}

/** Instructions of the final stage, after the last FROM. */
const finalStage = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));
function finalArgumentsOf(name: string): string[] {
  return finalStage.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
}

function json(text: string | undefined): string[] {
  return JSON.parse(text ?? 'null');
}

describe('Dockerfile', () => {
  it('uses the slim image of the major version that package.json requires', () => {
    const { engines } = JSON.parse(textOf('package.json'));
    const [, major] = /(\d+)/.exec(engines.node) ?? [];
    expect(argumentsOf('ARG')).toEqual([`BASE=node:${major}-slim`]);
    for (const base of argumentsOf('FROM')) expect(base).toMatch(/^\$\{BASE\}( AS \w+)?$/);
  });

  it('installs from the lock file, and in the final stage only runtime dependencies', () => {
    const installs = argumentsOf('RUN').filter((line) => line.startsWith('npm '));
    expect(installs).toEqual([
      expect.stringMatching(/^npm ci --ignore-scripts /),
      'npm run build',
      expect.stringMatching(/^npm ci --omit=dev --ignore-scripts /),
    ]);
    expect(finalArgumentsOf('RUN').join()).not.toMatch(/npm (ci|install)/);
    expect(finalArgumentsOf('COPY')).toContain('--from=modules /app/node_modules ./node_modules');
  });

  it('runs as a numeric user other than root', () => {
    expect(finalArgumentsOf('USER')).toEqual(['10001:10001']);
    const after = finalStage.slice(finalStage.findIndex((line) => line.startsWith('USER ')));
    expect(after.some((line) => /^(RUN|COPY|ADD) /.test(line))).toBe(false);
  });

  it('starts node itself, so that SIGTERM reaches it', () => {
    expect(json(finalArgumentsOf('ENTRYPOINT')[0])).toEqual([
      'node',
      '--disable-warning=ExperimentalWarning',
      '--disable-sigusr1',
      '--max-semi-space-size=8',
      '--v8-pool-size=1',
      'dist/main.js',
    ]);
    expect(json(finalArgumentsOf('CMD')[0])).toEqual(['serve', '--config', '/etc/relay/relay.yaml']);
  });

  it('starts the relay as the command of a clone does', () => {
    const flags = json(finalArgumentsOf('ENTRYPOINT')[0]).filter((word) => word.startsWith('--'));
    const command = textOf('bin/capillary-relay').trimEnd().split('\n').at(-1);
    // `exec`, so that a signal reaches node there as well.
    expect(command).toBe(`exec node ${flags.join(' ')} "$root/dist/main.js" "$@"`);
    expect(statSync(pathOf('bin/capillary-relay')).mode & 0o111).toBe(0o111);
  });

  it('has a volume for the data, labels, and a health check without a shell', () => {
    expect(json(finalArgumentsOf('VOLUME')[0])).toEqual(['/data']);
    expect(finalArgumentsOf('LABEL').join()).toContain(
      'org.opencontainers.image.title="capillary-aep-relay"',
    );
    const [, check] = finalArgumentsOf('HEALTHCHECK')[0]?.split(' CMD ') ?? [];
    expect(json(check).slice(0, 2)).toEqual(['node', '-e']);
    expect(finalArgumentsOf('ENV').join()).toContain('RELAY_HEALTH_URL=http://127.0.0.1:8081/livez');
  });

  it('copies only files that exist and that .dockerignore includes', () => {
    const copied = argumentsOf('COPY')
      .filter((line) => !line.startsWith('--'))
      .flatMap((line) => line.split(' ').slice(0, -1));
    const included = textOf('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    expect(textOf('.dockerignore').split('\n')).toContain('*');
    expect([...new Set(copied)].toSorted()).toEqual(included.toSorted());
    for (const name of copied)
      expect({ name, exists: existsSync(pathOf(name)) }).toEqual({ name, exists: true });
  });
});

describe('deploy/dockerfile-steps.sh', () => {
  const script = textOf('deploy/dockerfile-steps.sh');

  it('is executable and stops at the first failure', () => {
    expect(statSync(pathOf('deploy/dockerfile-steps.sh')).mode & 0o111).toBe(0o111);
    expect(script).toContain('set -euo pipefail');
  });

  it('runs the same installation and build as the Dockerfile', () => {
    for (const line of argumentsOf('RUN').filter((one) => one.startsWith('npm '))) {
      const flags = line.replace('npm run build', 'npm run --silent build');
      expect(script).toContain(flags);
    }
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

function textOf(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

describe('npm on a Node that is older than the one of the project', () => {
  it('prints no warnings, because the project installs and uses its own Node', () => {
    expect(textOf('.npmrc')).toMatch(/^loglevel=error$/m);
    const { devDependencies } = JSON.parse(textOf('package.json')) as {
      devDependencies: Record<string, string>;
    };
    expect(devDependencies['node']).toMatch(/^\^24\./);
    expect(textOf('README.md')).toContain('`EBADENGINE`');
  });
});

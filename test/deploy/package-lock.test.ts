import { describe, expect, it } from 'vitest';
import { treeOf } from './files.ts';

interface Package {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const packages: Record<string, Package> = treeOf('package-lock.json').packages;

/**
 * Whether Node would find a package from the folder of another one: there or in a folder above it.
 */
function isLocked(from: string, name: string): boolean {
  const folders = from
    .split('/node_modules/')
    .map((_, index, all) => all.slice(0, index + 1).join('/node_modules/'));
  return [...folders, ''].some(
    (folder) => packages[`${folder}${folder === '' ? '' : '/'}node_modules/${name}`],
  );
}

describe('package-lock.json', () => {
  it('contains every dependency, including those for other platforms; otherwise npm ci fails', () => {
    const missing = Object.entries(packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !isLocked(from, name))
        .map((name) => `${name} of ${from}`),
    );
    expect(missing).toEqual([]);
  });

  it('has the versions of package.json', () => {
    const { dependencies, devDependencies, version } = treeOf('package.json');
    expect(packages['']).toMatchObject({ dependencies, devDependencies, version });
  });
});

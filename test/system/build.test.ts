import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DIST = join(ROOT, 'dist');
const bundle = readFileSync(join(DIST, 'relay.cjs'));

/** A copy of the package as it is installed. */
function copyOfPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'relay-build-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(DIST, join(folder, 'dist'), { recursive: true });
  for (const file of ['package.json', 'openapi.yaml']) cpSync(join(ROOT, file), join(folder, file));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

function run(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(folder, 'dist/main.js'), ...args],
    { encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

describe('dist/', () => {
  it('has only the files of the last build', () => {
    expect(readdirSync(DIST).toSorted()).toEqual([
      'main.js',
      'main.js.map',
      'relay.bytecode',
      'relay.cjs',
      'relay.cjs.map',
      'third-party-licences.txt',
      'worker.js',
      'worker.js.map',
    ]);
  });

  it('keeps the names of functions and says which file they are from', () => {
    for (const name of ['createRelay', 'openSqliteJournal', 'createDispatcher'])
      expect(bundle.toString()).toContain(`function ${name}(`);
    expect(bundle.toString()).toContain('// src/intake/webhook.ts\n');
  });

  it('has the licence of every bundled package', () => {
    const map = JSON.parse(readFileSync(join(DIST, 'relay.cjs.map'), 'utf8')) as { sources: string[] };
    const packages = new Set(
      map.sources.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
    );
    expect(packages.size).toBeGreaterThan(30);
    const licences = readFileSync(join(DIST, 'third-party-licences.txt'), 'utf8');
    for (const name of packages) expect(licences).toMatch(new RegExp(`^${name} \\d+\\.`, 'm'));
    expect(packages).not.toContain('@opentelemetry/api');
  });
});

describe('the byte code of the bundle', () => {
  it.each([
    ['bin/capillary-relay', readFileSync(join(ROOT, 'bin/capillary-relay'), 'utf8').match(/ --\S+/g) ?? []],
    ['no flags', []],
    ['a heap limit', ['--max-old-space-size=256']],
  ])('is used with the flags of %s', (_what, flags) => {
    const script = `
      const { readFileSync } = require('node:fs');
      const source = readFileSync('relay.cjs', 'latin1');
      const cachedData = readFileSync('relay.bytecode').subarray(8);
      console.log(new (require('node:vm').Script)(source, { cachedData }).cachedDataRejected);`;
    const { stdout } = spawnSync(process.execPath, [...flags.map((flag) => flag.trim()), '-e', script], {
      cwd: DIST,
      encoding: 'utf8',
    });
    expect(stdout).toBe('false\n');
  });

  it('is not used for a bundle of the same length with other code', () => {
    const folder = copyOfPackage();
    const changed = bundle.toString().replaceAll('never loses one', 'never xxxxx one');
    // V8 compares no more than the length, so this byte code would run the old code.
    expect(changed).toHaveLength(bundle.toString().length);
    writeFileSync(join(folder, 'dist/relay.cjs'), changed);
    expect(run(folder, '--help').stdout).toMatch(/never\s+xxxxx one/);
  });

  it.each([
    ['missing', (file: string) => rmSync(file)],
    ['empty', (file: string) => writeFileSync(file, '')],
    ['cut off', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 100_000))],
    [
      'damaged',
      (file: string) => {
        const bytes = readFileSync(file);
        bytes.fill(0xff, 200_000, 201_000);
        writeFileSync(file, bytes);
      },
    ],
  ])('is not needed: %s', (_what, change) => {
    const folder = copyOfPackage();
    change(join(folder, 'dist/relay.bytecode'));
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(run(folder, '--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('what is not bundled', () => {
  it('is found beside dist', () => {
    expect(existsSync(join(ROOT, 'node_modules/@opentelemetry/api'))).toBe(true);
    for (const name of ['@opentelemetry/api', '@fastify/swagger', '@fastify/swagger-ui'])
      expect(bundle.toString()).toMatch(new RegExp(`(require|import)\\("${name}"\\)`));
  });
});

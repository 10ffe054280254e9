import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputOptions, rolldown, type RolldownPluginOption } from 'rolldown';
import { licenceTexts } from './licences.ts';

/*
 * Writes dist/: main.js, the command; relay.cjs, which has everything that src/cli/run.ts imports,
 * and its byte code; worker.js, the storage thread. One file loads several times as fast as a
 * thousand. Nothing is minified and names are kept, so that stack traces can be read.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');

/**
 * Packages that are not bundled: code that an operator loads must find the tracing API that the
 * relay uses, and the API's page is loaded, with its files, when somebody opens it.
 */
const EXTERNAL = ['@opentelemetry/api', '@fastify/swagger', '@fastify/swagger-ui'];

/** Makes main.js load relay.cjs where src/main.ts imports its source. */
const loadBundle: RolldownPluginOption = {
  name: 'load-bundle',
  resolveId: (id) => (id === './cli/run.ts' ? join(ROOT, 'build/run-bundle.ts') : undefined),
};

const POOL_USER = '/src/adobe/http.ts';

/** Bundles only the part of undici that sends events. */
const undiciPool: RolldownPluginOption = {
  name: 'undici-pool',
  resolveId: (id, importer) =>
    id === 'undici' && importer?.endsWith(POOL_USER) ? join(ROOT, 'build/undici-pool.cjs') : undefined,
};

interface Built {
  readonly files: ReadonlyMap<string, string>;
  /** Paths of all bundled modules. */
  readonly modules: readonly string[];
}

/**
 * V8 compiles a function in parentheses at once, because it is usually called at once. The bundler
 * writes every module as such a function, but most modules belong to commands that do not run.
 */
function compiledWhenRun(code: string): string {
  return code.replaceAll(/(?<open>__(?:esm|commonJS)Min\(\()(?=\(|async)/g, '$<open>0, ');
}

/** V8 keeps a source without other characters in half the memory, and reads it faster. */
function inAscii(code: string): string {
  return code.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** What Node puts around a module, so that load-bundle.ts need not copy the text to add it. */
function asFunction(code: string): string {
  return `(function (exports, require, module, __filename, __dirname) {${code}\n})\n`;
}

async function bundle(
  input: string,
  name: string,
  output: OutputOptions,
  plugins: RolldownPluginOption[] = [],
): Promise<Built> {
  const compiler = await rolldown({
    cwd: ROOT,
    input: join(ROOT, input),
    platform: 'node',
    external: EXTERNAL,
    plugins,
  });
  const { output: files } = await compiler.generate({
    codeSplitting: false,
    entryFileNames: name,
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: false, jsdoc: false },
    ...output,
  });
  await compiler.close();
  return {
    files: new Map(
      files.map((file) => [
        file.fileName,
        file.type === 'chunk'
          ? inAscii(compiledWhenRun(output.format === 'cjs' ? asFunction(file.code) : file.code))
          : String(file.source),
      ]),
    ),
    modules: files.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : [])),
  };
}

/** Replaces a file at once: a relay may be started while this runs. */
function install(name: string, text: string): void {
  const temporary = join(DIST, `${name}.${process.pid}`);
  writeFileSync(temporary, text, { mode: name === 'main.js' ? 0o755 : 0o644 });
  renameSync(temporary, join(DIST, name));
}

async function build(): Promise<void> {
  const built = await Promise.all([
    bundle('src/cli/run.ts', 'relay.cjs', { format: 'cjs' }, [undiciPool]),
    bundle('src/journal/sqlite/thread/worker.ts', 'worker.js', { format: 'esm' }),
    bundle('src/main.ts', 'main.js', { format: 'esm' }, [loadBundle]),
  ]);
  mkdirSync(DIST, { recursive: true });
  const names = new Set(['relay.bytecode', 'third-party-licences.txt']);
  for (const { files } of built)
    for (const [name, text] of files) {
      names.add(name);
      install(name, text);
    }
  install('third-party-licences.txt', licenceTexts(built.flatMap(({ modules }) => modules)));
  // Files of an earlier build, and temporary ones of a build that was interrupted.
  for (const name of readdirSync(DIST).filter((one) => !names.has(one))) {
    rmSync(join(DIST, name), { recursive: true, force: true });
  }
  const byteCode = join(DIST, `relay.bytecode.${process.pid}`);
  execFileSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'build/code-cache.ts'),
      join(DIST, 'relay.cjs'),
      byteCode,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  renameSync(byteCode, join(DIST, 'relay.bytecode'));
}

await build();

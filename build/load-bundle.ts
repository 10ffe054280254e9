import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import vm from 'node:vm';
import zlib from 'node:zlib';

/*
 * Takes the place of src/cli/run.ts in the build: runs the bundle with the byte code that V8
 * compiled from it when it was built (code-cache.ts). Modules are imported as a whole, so that an
 * older Node reaches the check of its version.
 */

/** The exports of the bundle, as of src/cli/run.ts. */
interface Bundle {
  readonly run: (args: readonly string[]) => Promise<void>;
}

const HEADER_BYTES = 8;

/** Byte code with the checksums of itself and of the source that it belongs to. */
export function packByteCode(source: Buffer, byteCode: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(zlib.crc32(source), 0);
  header.writeUInt32LE(zlib.crc32(byteCode), 4);
  return Buffer.concat([header, byteCode]);
}

/**
 * Undefined if there is none, or not for this source. V8 itself compares only the length of the
 * source, its own version and its flags.
 */
function readByteCode(file: string, source: Buffer): Buffer | undefined {
  let packed: Buffer;
  try {
    packed = readFileSync(file);
  } catch {
    return undefined;
  }
  if (packed.length < HEADER_BYTES) return undefined;
  const byteCode = packed.subarray(HEADER_BYTES);
  const isIntact =
    packed.readUInt32LE(0) === zlib.crc32(source) && packed.readUInt32LE(4) === zlib.crc32(byteCode);
  return isIntact ? byteCode : undefined;
}

/**
 * Compiles and loads the bundle, a function in ASCII. Without usable byte code V8 compiles the
 * source, which only takes longer.
 */
export function loadBundle(
  filename: string,
  byteCodeFile: string,
): { readonly script: vm.Script; readonly source: Buffer; readonly bundle: Bundle } {
  const source = readFileSync(filename);
  const cachedData = readByteCode(byteCodeFile, source);
  const script = new vm.Script(source.toString('latin1'), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const module = { exports: {} };
  const load = script.runInThisContext() as (...parts: readonly unknown[]) => void;
  load(module.exports, createRequire(filename), module, filename, dirname(filename));
  return { script, source, bundle: module.exports as Bundle };
}

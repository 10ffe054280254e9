import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

/** Line and column of the function, from 0. */
interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** The fields of a V8 CPU profile that are used. Times in µs. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Area of a function: the first match. Native functions have no file and match by name. */
const AREAS: readonly (readonly [string, RegExp])[] = [
  ['idle', /^\(idle\)/],
  ['waiting for the disk', /^fdatasync/],
  ['garbage collector', /^\(garbage collector\)/],
  ['calls between threads', /postMessage|node:internal\/worker|\/journal\/sqlite\/thread\//],
  ['journal, SQLite', /\/journal\//],
  ['verification', /\/sources\//],
  ['event parsing', /\/capillary\//],
  ['mapping', /\/(?:mapping|xdm)\/|libphonenumber|jsonata/],
  ['delivery, undici', /\/(?:delivery|adobe)\/|undici/],
  ['intake', /\/(?:intake|http)\//],
  ['log, metrics, tracing', /\/(?:telemetry|monitoring)\/|pino|sonic-boom|prom-client|opentelemetry/],
  ['hashes', /node:internal\/crypto/],
  [
    'HTTP server',
    /fastify|find-my-way|light-my-request|node:_?http|node:(?:net|events)|streams|writeUtf8String|writev/,
  ],
  ['module loading', /modules\/|compile|readPackage|internalModule/i],
];

/** Source maps of bundled files by the path of the file; null: the file has none. */
const sourceMaps = new Map<string, SourceMap | null>();

function sourceMapOf(file: string): SourceMap | null {
  const known = sourceMaps.get(file);
  if (known !== undefined) return known;
  const path = `${file}.map`;
  const map = existsSync(path) ? new SourceMap(JSON.parse(readFileSync(path, 'utf8'))) : null;
  sourceMaps.set(file, map);
  return map;
}

/** The source file of a function: one built file holds many. */
function sourceOf({ url, lineNumber, columnNumber }: CallFrame): string {
  const entry = sourceMapOf(url.replace('file://', ''))?.findEntry(lineNumber, columnNumber);
  return entry !== undefined && 'originalSource' in entry ? entry.originalSource : url;
}

function areaOf(callFrame: CallFrame): string {
  const text = `${callFrame.functionName} ${sourceOf(callFrame)}`;
  return AREAS.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other';
}

function linesOf(profile: CpuProfile): string[] {
  const areas = new Map(profile.nodes.map(({ id, callFrame }) => [id, areaOf(callFrame)]));
  const microsByArea = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const area = areas.get(id) ?? 'other';
    microsByArea.set(area, (microsByArea.get(area) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  microsByArea.delete('idle');
  const total = [...microsByArea.values()].reduce((sum, part) => sum + part, 0);
  return [...microsByArea]
    .toSorted(([, a], [, b]) => b - a)
    .map(
      ([area, micros]) =>
        `${((micros * 100) / total).toFixed(1).padStart(6)} %  ${(micros / 1_000).toFixed(0).padStart(7)} ms  ${area}`,
    );
}

/**
 * Prints the time of each thread by area. Time that a call spends waiting, mostly for the disk,
 * counts as its own.
 */
export function printProfiles(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))) {
    const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
    console.log(`\n${join(folder, name)}\n${linesOf(profile).join('\n')}`);
  }
}

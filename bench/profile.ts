import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The fields of a V8 CPU profile that are used. Times in µs. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Area of a function: the first match. Native functions have no file and match by name. */
const AREAS: readonly (readonly [string, RegExp])[] = [
  ['idle', /^\(idle\)/],
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

function areaOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  return AREAS.find(([, pattern]) => pattern.test(`${functionName} ${url}`))?.[0] ?? 'other';
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

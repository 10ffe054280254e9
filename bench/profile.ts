import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What of a V8 CPU profile is read. Times in µs. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Where a function belongs: the first that fits. Native functions have no file and go by their name. */
const AREAS: readonly (readonly [string, RegExp])[] = [
  ['idle', /^\(idle\)/],
  ['garbage collector', /^\(garbage collector\)/],
  [
    'between the threads',
    /postMessage|node:internal\/worker|journal\/sqlite\/(?:channel|gate|buffers|weight)/,
  ],
  ['SQLite', /\/journal\//],
  ['verification', /\/verify\//],
  ['reading JSON, events', /\/capillary\//],
  ['mapping', /\/(?:mapping|xdm)\/|libphonenumber|jsonata/],
  ['delivery, undici', /\/(?:delivery|adobe)\/|undici/],
  ['intake', /\/intake\//],
  ['log, metrics, tracing', /\/observability\/|pino|sonic-boom|prom-client|opentelemetry/],
  ['hashes', /node:internal\/crypto/],
  [
    'HTTP server',
    /fastify|find-my-way|light-my-request|node:_?http|node:(?:net|events)|streams|writeUtf8String|writev/,
  ],
  ['starting: modules', /modules\/|compile|readPackage|internalModule/i],
];

function areaOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string {
  return AREAS.find(([, pattern]) => pattern.test(`${functionName} ${url}`))?.[0] ?? 'other';
}

function linesOf(profile: CpuProfile): string[] {
  const areas = new Map(profile.nodes.map(({ id, callFrame }) => [id, areaOf(callFrame)]));
  const spent = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const area = areas.get(id) ?? 'other';
    spent.set(area, (spent.get(area) ?? 0) + (profile.timeDeltas[index] ?? 0));
  }
  spent.delete('idle');
  const all = [...spent.values()].reduce((sum, part) => sum + part, 0);
  return [...spent]
    .toSorted(([, a], [, b]) => b - a)
    .map(
      ([area, micros]) =>
        `${((micros * 100) / all).toFixed(1).padStart(6)} %  ${(micros / 1_000).toFixed(0).padStart(7)} ms  ${area}`,
    );
}

/** Prints where the time of each thread went. Waiting inside a call, for the disk above all, counts as that call's. */
export function tellProfiles(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.cpuprofile'))) {
    const profile = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile;
    console.log(`\n${join(folder, name)}\n${linesOf(profile).join('\n')}`);
  }
}

import type { Bench, Figure, Part } from '../part.ts';
import { measureAppends } from '../postgres/appends.ts';
import { measureTables } from '../postgres/bloat.ts';
import { measureThrough } from '../postgres/deliveries.ts';
import { measureIdle, measureKill } from '../postgres/replicas.ts';
import { startBenchServer } from '../postgres/server.ts';
import type { PostgresRig } from '../postgres/rig.ts';
import { startInlet } from '../processes/inlet.ts';
import { relayFolder } from '../processes/relay.ts';

const MEASUREMENTS: readonly ((rig: PostgresRig) => Promise<readonly Figure[]>)[] = [
  measureAppends,
  measureThrough,
  measureKill,
  measureIdle,
  measureTables,
];

/**
 * Relays on PostgreSQL: sender, relay, database and inlet share the machine, and each commit waits
 * for the disk.
 */
export const postgres: Part = async (bench: Bench) => {
  const server = await startBenchServer();
  const inlet = await startInlet();
  const folders: { remove(): void }[] = [];
  const rig: PostgresRig = {
    bench,
    server,
    inlet,
    folder: (schema, change = {}) => {
      const store = { engine: 'postgres', url: server.url(), schema };
      const folder = relayFolder(bench, inlet, change, store);
      folders.push(folder);
      return folder;
    },
  };
  try {
    const figures: Figure[] = [];
    for (const measure of MEASUREMENTS) figures.push(...(await measure(rig)));
    return figures;
  } finally {
    for (const folder of folders) folder.remove();
    await inlet.stop();
    await server.remove();
  }
};

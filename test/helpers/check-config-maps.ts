import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { bytesOf, DATABASE_FILES, loadMounted, secretNames } from './mounted-config.ts';

/*
 * Loads relay.yaml from the ConfigMap in each file of rendered manifests and compares it with the
 * workload in the same file: its ports, and the store path and size with the volume of a
 * StatefulSet, or the files of the database with those of a Deployment.
 *
 *   node check-config-maps.ts FILE…
 */
for (const file of process.argv.slice(2)) {
  const manifests = parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS())
    .filter((manifest) => manifest !== null);
  const findOnly = (what: string, isWanted: (manifest: any) => boolean) => {
    const found = manifests.filter(isWanted);
    if (found.length !== 1) throw new Error(`${file}: expected one ${what}, found ${found.length}`);
    return found[0];
  };
  const text: string = findOnly('relay.yaml', ({ data }) => data?.['relay.yaml'] !== undefined).data[
    'relay.yaml'
  ];
  const { config } = loadMounted(text);
  const { engine, path, maxBytes, minFree } = config.store;
  const kind = engine === 'postgres' ? 'Deployment' : 'StatefulSet';
  const { spec, kind: found } = findOnly('workload', (manifest) =>
    ['Deployment', 'StatefulSet'].includes(manifest.kind),
  );
  if (found !== kind) throw new Error(`${file}: the engine ${engine} runs as ${found}`);
  const { containers, volumes } = spec.template.spec;
  const [container] = containers;
  const mountOf = (volume: string): string | undefined =>
    container.volumeMounts.find(({ name }: { name: string }) => name === volume)?.mountPath;
  const filesOf = (volume: string): string[] =>
    (volumes.find(({ name }: { name: string }) => name === volume)?.projected.sources ?? []).flatMap(
      ({ secret, configMap }: any) => (secret ?? configMap).items.map((item: { path: string }) => item.path),
    );
  const inUrl = [...text.matchAll(new RegExp(`${DATABASE_FILES}/([\\w.]+)`, 'g'))].map(
    ([, name = '']) => name,
  );
  const deployed = {
    ports: container.ports.map(({ containerPort }: { containerPort: number }) => containerPort).join(),
    data: mountOf('data'),
    database: filesOf('database').toSorted().join(),
  };
  const configured = {
    ports: `${config.server.port},${config.admin.port}`,
    data: engine === 'postgres' ? undefined : path,
    database: [...new Set(inUrl)].toSorted().join(),
  };
  if (JSON.stringify(deployed) !== JSON.stringify(configured))
    throw new Error(
      `${file}: the ${kind} has ${JSON.stringify(deployed)}, relay.yaml ${JSON.stringify(configured)}`,
    );
  if (engine === 'sqlite') {
    const volume = bytesOf(spec.volumeClaimTemplates[0].spec.resources.requests.storage);
    if (maxBytes + minFree >= volume)
      throw new Error(`${file}: store.maxBytes and minFree do not fit on a volume of ${volume} bytes`);
  }
  console.log(`${file}: relay.yaml is valid; secrets: ${secretNames(text).join(', ')}`);
}

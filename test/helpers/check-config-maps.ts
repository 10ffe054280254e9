import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { bytesOf, loadMounted, secretNames } from './mounted-config.ts';

// Loads relay.yaml from the ConfigMap in each file of rendered manifests and compares its ports,
// store path and store size with the StatefulSet in the same file.
//   node check-config-maps.ts FILE…
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
  const { spec } = findOnly('StatefulSet', ({ kind }) => kind === 'StatefulSet');
  const [container] = spec.template.spec.containers;
  const [claim] = spec.volumeClaimTemplates;
  const volume = bytesOf(claim.spec.resources.requests.storage);
  if (config.store.maxBytes + config.store.minFree >= volume)
    throw new Error(`${file}: store.maxBytes and minFree do not fit on a volume of ${volume} bytes`);
  const deployed = {
    ports: container.ports.map(({ containerPort }: { containerPort: number }) => containerPort).join(),
    data: container.volumeMounts.find(({ name }: { name: string }) => name === 'data').mountPath,
  };
  const configured = { ports: `${config.server.port},${config.admin.port}`, data: config.store.path };
  if (JSON.stringify(deployed) !== JSON.stringify(configured))
    throw new Error(
      `${file}: the StatefulSet has ${JSON.stringify(deployed)}, relay.yaml ${JSON.stringify(configured)}`,
    );
  console.log(`${file}: relay.yaml is valid; secrets: ${secretNames(text).join(', ')}`);
}

import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { loadMounted, secretNames } from './mounted-config.ts';

// Loads relay.yaml out of the ConfigMaps of rendered manifests, and holds the ports and the volume of the StatefulSet beside it against it.
//   node check-config-maps.ts FILE…
for (const file of process.argv.slice(2)) {
  const manifests = parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS())
    .filter((manifest) => manifest !== null);
  const only = (kind: string) => {
    const found = manifests.filter((manifest) => manifest.kind === kind);
    if (found.length !== 1) throw new Error(`${file}: ${found.length} of ${kind}`);
    return found[0];
  };
  const text: string = only('ConfigMap').data['relay.yaml'];
  const { config } = loadMounted(text);
  const [container] = only('StatefulSet').spec.template.spec.containers;
  const agreed = {
    ports: container.ports.map(({ containerPort }: { containerPort: number }) => containerPort).join(),
    data: container.volumeMounts.find(({ name }: { name: string }) => name === 'data').mountPath,
  };
  const asked = { ports: `${config.server.port},${config.admin.port}`, data: config.store.path };
  if (JSON.stringify(agreed) !== JSON.stringify(asked))
    throw new Error(
      `${file}: the StatefulSet has ${JSON.stringify(agreed)}, relay.yaml ${JSON.stringify(asked)}`,
    );
  console.log(`${file}: relay.yaml can be used; secrets: ${secretNames(text).join(', ')}`);
}

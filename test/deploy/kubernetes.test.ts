import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';
import { bytesOf, loadMounted, SECRETS, secretNames } from '../helpers/mounted-config.ts';
import { chartValues } from '../docs/chart-values.ts';
import { pathOf, textOf, treeOf } from './files.ts';

const BASE = 'deploy/kubernetes/base';
const EXAMPLE = 'deploy/kubernetes/example';
const DOCKERFILE = textOf('Dockerfile');
const uid = Number(/^USER (\d+):\d+$/m.exec(DOCKERFILE)?.[1]);
const { paths } = treeOf('openapi.yaml');

const statefulSet = treeOf(`${BASE}/statefulset.yaml`);
const pod = statefulSet.spec.template.spec;
const [container] = pod.containers;
const mounts: Record<string, string> = Object.fromEntries(
  container.volumeMounts.map(({ name, mountPath }: { name: string; mountPath: string }) => [name, mountPath]),
);
function portsOf(list: readonly { name: string; containerPort: number }[]) {
  return Object.fromEntries(list.map(({ name, containerPort }) => [name, containerPort]));
}

describe.each([`${BASE}/relay.yaml`, `${EXAMPLE}/relay.yaml`])('%s', (file) => {
  const { config } = loadMounted(textOf(file));

  it('is a valid configuration that matches the probes and the volume', () => {
    expect(portsOf(container.ports)).toEqual({ intake: config.server.port, admin: config.admin.port });
    expect([config.server.host, config.admin.host]).toEqual(['0.0.0.0', '0.0.0.0']);
    expect(config.store.path).toBe(mounts['data']);
  });

  it('contains no secret: each is a file in the folder where the Secret is mounted', () => {
    expect(mounts['secrets']).toBe(SECRETS);
    const placeholders = [...textOf(file).matchAll(/\$\{[^}]*\}/g)].map(([placeholder]) => placeholder);
    expect(placeholders.length).toBeGreaterThan(3);
    for (const placeholder of placeholders) expect(placeholder).toMatch(/^\$\{file:\/run\/secrets\/relay\//);
    const inline = textOf(file).match(
      /(token|values|clientSecrets|encryptionKeys): (?!\$\{file|\["\$\{file)/g,
    );
    expect(inline).toBeNull();
  });
});

describe('the pod', () => {
  it('runs as the user of the image with the least privileges', () => {
    expect(uid).toBeGreaterThan(0);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: uid,
      runAsGroup: uid,
      fsGroup: uid,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
  });

  it('has its configuration and data mounted where the image expects them', () => {
    expect(DOCKERFILE).toContain(`RELAY_CONFIG=${mounts['config']}/relay.yaml`);
    expect(DOCKERFILE).toContain(`VOLUME ["${mounts['data']}"]`);
    expect(mounts['tmp']).toBe('/tmp');
    expect(container.command ?? container.args).toBeUndefined();
  });

  it('has probes on the admin port with existing paths', () => {
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    expect(probes.map(({ httpGet }) => httpGet)).toEqual([
      { path: '/livez', port: 'admin' },
      { path: '/livez', port: 'admin' },
      { path: '/readyz', port: 'admin' },
    ]);
    for (const { httpGet } of probes) expect(paths).toHaveProperty([httpGet.path]);
  });

  it('has a longer grace period than the relay needs to shut down', () => {
    const [, ms = ''] =
      /const SHUTDOWN_TIMEOUT_MS = ([\d_]+);/.exec(textOf('src/cli/serve-command.ts')) ?? [];
    expect(ms).not.toBe('');
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(2 * Number(ms.replaceAll('_', '')));
  });

  it('has a volume that is larger than the maximum store and the minimum free space', () => {
    const [claim] = statefulSet.spec.volumeClaimTemplates;
    expect(claim.metadata.name).toBe('data');
    const { patches } = treeOf(`${EXAMPLE}/kustomization.yaml`);
    const [, exampleSize] =
      /requests\/storage\n\s+value: (\S+)/.exec(patches.map(({ patch }: any) => patch).join()) ?? [];
    const sizes = { [BASE]: claim.spec.resources.requests.storage, [EXAMPLE]: exampleSize };
    for (const [folder, size] of Object.entries(sizes)) {
      const { store } = loadMounted(textOf(`${folder}/relay.yaml`)).config;
      expect({ folder, fits: bytesOf(size) > store.maxBytes + store.minFree }).toEqual({
        folder,
        fits: true,
      });
    }
  });
});

describe('services and policies', () => {
  const labels = statefulSet.spec.template.metadata.labels;
  const services = ['service', 'service-headless'].map((name) => treeOf(`${BASE}/${name}.yaml`));

  it('select the pod', () => {
    for (const { spec } of services) expect(spec.selector).toEqual(labels);
    expect(statefulSet.spec.selector.matchLabels).toEqual(labels);
    expect(treeOf(`${BASE}/network-policy.yaml`).spec.podSelector.matchLabels).toEqual(labels);
    expect(treeOf(`${BASE}/pod-disruption-budget.yaml`).spec.selector.matchLabels).toEqual(labels);
  });

  it('expose the admin port on the headless Service only', () => {
    const targets = services.map(({ metadata, spec }) => [
      metadata.name,
      spec.clusterIP,
      spec.ports.map((port: { targetPort: string }) => port.targetPort),
    ]);
    expect(targets).toEqual([
      ['capillary-aep-relay', undefined, ['intake']],
      [statefulSet.spec.serviceName, 'None', ['admin']],
    ]);
  });

  it('allow the ingress controller to reach the intake and monitoring to reach the admin port', () => {
    const { ingress, policyTypes } = treeOf(`${BASE}/network-policy.yaml`).spec;
    expect(policyTypes).toEqual(['Ingress', 'Egress']);
    const { intake, admin } = portsOf(container.ports);
    const allowed = ingress.map(
      ({ from, ports }: { from: readonly { namespaceSelector: object }[]; ports: readonly object[] }) => [
        from[0]?.namespaceSelector,
        ports,
      ],
    );
    const namespace = (name: string) => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
    expect(allowed).toEqual([
      [namespace('ingress-nginx'), [{ protocol: 'TCP', port: intake }]],
      [namespace('monitoring'), [{ protocol: 'TCP', port: admin }]],
    ]);
  });

  it('scrape the job that the alerts refer to', () => {
    const { selector, endpoints } = treeOf('deploy/kubernetes/monitoring/service-monitor.yaml').spec;
    const [endpoint] = endpoints;
    expect(services[1]?.metadata.labels).toMatchObject(selector.matchLabels);
    expect(services[0]?.metadata.labels).not.toMatchObject(selector.matchLabels);
    expect(paths).toHaveProperty([endpoint.path]);
    const [{ replacement }] = endpoint.relabelings;
    const rules = textOf('deploy/kubernetes/monitoring/prometheus-rule.yaml');
    expect(rules).toContain(`up{job="${replacement}"}`);
  });
});

describe('kustomizations', () => {
  it.each(['base', 'monitoring', 'example'])('%s lists every file of its folder', (folder) => {
    const { resources, configMapGenerator = [] } = treeOf(`deploy/kubernetes/${folder}/kustomization.yaml`);
    const named = [
      ...resources,
      ...configMapGenerator.flatMap((generator: { files: string[] }) => generator.files),
    ];
    const local = named.filter((name: string) => !name.startsWith('..'));
    const files = readdirSync(pathOf(`deploy/kubernetes/${folder}`)).filter(
      (name) => name !== 'kustomization.yaml',
    );
    expect(new Set(local)).toEqual(new Set(files));
  });
});

describe('the chart', () => {
  const CHART = 'deploy/helm/capillary-aep-relay';
  const values = treeOf(`${CHART}/values.yaml`);
  const template = textOf(`${CHART}/templates/statefulset.yaml`);

  it('has the same valid configuration as the manifests', () => {
    const base = loadMounted(textOf(`${BASE}/relay.yaml`)).config;
    const chart = loadMounted(JSON.stringify(values.config)).config;
    expect(chart).toEqual(base);
    expect(secretNames(JSON.stringify(values.config))).toEqual(secretNames(textOf(`${BASE}/relay.yaml`)));
  });

  it('runs the pod as the manifests do', () => {
    expect(values.podSecurityContext).toEqual(pod.securityContext);
    expect(values.securityContext).toEqual(container.securityContext);
    // Only the lines that do not depend on the values.
    const blocks = template
      .split('\n')
      .filter((line) => !line.includes('{{'))
      .join('\n');
    const [relay] = parse(blocks).spec.template.spec.containers;
    expect([relay.readinessProbe, relay.livenessProbe]).toEqual([
      container.readinessProbe,
      container.livenessProbe,
    ]);
    expect(relay.volumeMounts).toEqual(container.volumeMounts);
    expect(values.resources).toEqual(container.resources);
    expect(values.startupSeconds).toBe(
      container.startupProbe.periodSeconds * container.startupProbe.failureThreshold,
    );
    expect(values.terminationGracePeriodSeconds).toBe(pod.terminationGracePeriodSeconds);
    expect(values.replicaCount).toBe(statefulSet.spec.replicas);
  });

  it('has a volume of twice the default size of the store, which the chart sets', () => {
    const { maxBytes } = loadMounted(textOf(`${BASE}/relay.yaml`)).config.store;
    expect(values.config.store).not.toHaveProperty('maxBytes');
    expect(bytesOf(values.persistence.size)).toBe(2 * maxBytes);
  });

  it('leaves user and groups to OpenShift with the values for it, and keeps the rest', () => {
    const { podSecurityContext, ...more } = treeOf('deploy/helm/openshift.yaml');
    expect(podSecurityContext).toEqual({ runAsUser: null, runAsGroup: null, fsGroup: null });
    expect(Object.keys(more)).toEqual(['networkPolicy']);
    // A user without an entry in /etc/passwd has group 0.
    expect(DOCKERFILE).toMatch(/install -d -m 0770 -o 10001 -g 0 \/data/);
  });

  it('has a schema for each value, and describes each in its README', () => {
    const { properties } = treeOf(`${CHART}/values.schema.json`);
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(values)));
    for (const [name, value] of Object.entries<any>(values)) {
      const schema = properties[name];
      if (schema.additionalProperties !== false) continue;
      expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(value)));
    }
    const rows = chartValues();
    expect(rows.filter(({ text }) => text === '').map(({ key }) => key)).toEqual([]);
    expect(new Set(rows.map(({ key }) => key.split('.')[0]))).toEqual(new Set(Object.keys(values)));
  });

  it('has the version of the package', () => {
    const { version } = treeOf('package.json');
    expect(treeOf(`${CHART}/Chart.yaml`)).toMatchObject({ name: 'capillary-aep-relay', appVersion: version });
    expect(treeOf(`${BASE}/kustomization.yaml`).images[0].newTag).toBe(version);
  });
});

describe('docs/kubernetes.md', () => {
  const page = textOf('docs/kubernetes.md');

  it('creates every secret that the configurations refer to', () => {
    const created = new Set([...page.matchAll(/--from-(?:file|literal)=([\w-]+)=/g)].map(([, name]) => name));
    const referenced = [BASE, EXAMPLE].flatMap((folder) => secretNames(textOf(`${folder}/relay.yaml`)));
    expect(created).toEqual(new Set(referenced));
  });

  it('uses only existing commands and options', async () => {
    const lines = [...page.matchAll(/-- capillary-relay ([^\n`]*)/g)].map(([, line = '']) => line.split(' '));
    expect(lines.length).toBeGreaterThan(5);
    for (const [name = '', ...rest] of lines) {
      const program = await createProgram([name]);
      const command = program.commands.find((one) => one.name() === name);
      const sub = command?.commands.find((one) => one.name() === rest[0]);
      const { unknown } = (sub ?? command)?.parseOptions(sub ? rest.slice(1) : rest) ?? {};
      expect({ name, unknown }).toEqual({ name, unknown: [] });
    }
  });

  it('mounts the volume in a pod with the privileges of the relay', () => {
    const { spec, metadata } = treeOf('deploy/kubernetes/store-pod.yaml');
    const { fsGroupChangePolicy: __, ...securityContext } = pod.securityContext;
    expect(spec.securityContext).toEqual(securityContext);
    expect(spec.containers[0].securityContext).toEqual(container.securityContext);
    expect(spec.containers[0].volumeMounts[0]).toEqual({ name: 'data', mountPath: mounts['data'] });
    expect(page).toContain(`pod/${metadata.name}`);
    expect(spec.volumes[0].persistentVolumeClaim.claimName).toBe(`data-${statefulSet.metadata.name}-0`);
    const [image] = treeOf(`${EXAMPLE}/kustomization.yaml`).images;
    expect(spec.containers[0].image).toBe(`${image.newName}:${image.newTag}`);
  });

  it('contains only valid YAML', () => {
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = '']) => block);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks)
      for (const document of parseAllDocuments(block)) expect(document.errors).toEqual([]);
  });
});

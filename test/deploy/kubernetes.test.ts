import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';
import { bytesOf, DATABASE_FILES, loadMounted, SECRETS, secretNames } from '../helpers/mounted-config.ts';
import { chartValues } from '../docs/chart-values.ts';
import { pathOf, textOf, treeOf } from './files.ts';

const BASE = 'deploy/kubernetes/base';
const EXAMPLE = 'deploy/kubernetes/example';
const REPLICAS = 'deploy/kubernetes/replicas';
const CLOUDNATIVEPG = 'deploy/kubernetes/cloudnativepg';
const DOCKERFILE = textOf('Dockerfile');
const uid = Number(/^USER (\d+):\d+$/m.exec(DOCKERFILE)?.[1]);
const { paths } = treeOf('openapi.yaml');

const statefulSet = treeOf(`${BASE}/statefulset.yaml`);
const deployment = treeOf(`${REPLICAS}/deployment.yaml`);
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
    expectNoSecret(textOf(file), [SECRETS]);
  });
});

/** Each placeholder is a file in one of the folders, and each secret a placeholder. */
function expectNoSecret(text: string, folders: readonly string[]): void {
  const placeholders = [...text.matchAll(/\$\{file:([^}]*)\/[^/}]*\}|\$\{[^}]*\}/g)].map(
    ([, folder]) => folder,
  );
  expect(placeholders.length).toBeGreaterThan(3);
  for (const folder of placeholders) expect(folders).toContain(folder);
  expect(text.match(/(token|values|clientSecrets|encryptionKeys): (?!\$\{file|\["\$\{file)/g)).toBeNull();
}

describe.each([`${REPLICAS}/relay.yaml`, `${CLOUDNATIVEPG}/relay.yaml`])('%s', (file) => {
  const { config, warnings } = loadMounted(textOf(file));
  const { volumeMounts, ports } = deployment.spec.template.spec.containers[0];

  it('is a valid configuration of a verified database that matches the pods', () => {
    expect(warnings).toEqual([]);
    expect(portsOf(ports)).toEqual({ intake: config.server.port, admin: config.admin.port });
    expect(config.store.engine).toBe('postgres');
    expect(config.store.url).toContain(`sslmode=verify-full&sslrootcert=${DATABASE_FILES}/ca.crt`);
    expect(volumeMounts).toContainEqual({ name: 'database', mountPath: DATABASE_FILES, readOnly: true });
  });

  it('contains no secret', () => {
    expectNoSecret(textOf(file), [SECRETS, DATABASE_FILES]);
    expect(config.store.url).toMatch(/^postgres:\/\/relay:a%20password@/);
  });

  it('differs from that of one pod in the store only', () => {
    const single = loadMounted(textOf(file.replace(/replicas/, 'base').replace(/cloudnativepg/, 'example')));
    expect({ ...config, store: undefined }).toEqual({ ...single.config, store: undefined });
  });
});

describe('the Deployment of replicas', () => {
  const { spec } = deployment;
  const replica = spec.template.spec;

  it('runs the same pod as the StatefulSet, without its volume', () => {
    const [{ readinessProbe, lifecycle, volumeMounts, ...rest }] = replica.containers;
    const { readinessProbe: once, volumeMounts: all, ...single } = container;
    expect(rest).toEqual(single);
    expect(readinessProbe.httpGet).toEqual(once.httpGet);
    const own = (list: readonly { name: string }[]) =>
      list.filter(({ name }) => name !== 'database' && name !== 'data');
    expect(own(volumeMounts)).toEqual(own(all));
    expect(own(replica.volumes)).toEqual(pod.volumes);
    expect(replica.securityContext).toEqual(pod.securityContext);
    expect(spec.selector).toEqual(statefulSet.spec.selector);
    expect(spec.template.metadata).toEqual(statefulSet.spec.template.metadata);
    expect(lifecycle.preStop.exec.command).toEqual(['sleep', '15']);
  });

  it('updates by adding a pod first, and gives each its whole grace period after the hook', () => {
    expect(spec.replicas).toBe(3);
    expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    const hook = Number(replica.containers[0].lifecycle.preStop.exec.command[1]);
    expect(replica.terminationGracePeriodSeconds).toBe(pod.terminationGracePeriodSeconds + hook);
  });

  it('spreads over zones, then nodes, by version', () => {
    expect(replica.topologySpreadConstraints.map((one: { topologyKey: string }) => one.topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    for (const { labelSelector, matchLabelKeys } of replica.topologySpreadConstraints)
      expect([labelSelector, matchLabelKeys]).toEqual([spec.selector, ['pod-template-hash']]);
  });
});

describe('the example with CloudNativePG', () => {
  const cluster = treeOf(`${CLOUDNATIVEPG}/cluster.yaml`);
  const { patches } = treeOf(`${CLOUDNATIVEPG}/kustomization.yaml`);

  it('commits on a standby before it answers, and promotes no other one', () => {
    expect(cluster.spec.instances).toBe(3);
    expect(cluster.spec.postgresql).toMatchObject({
      synchronous: { method: 'any', number: 1, dataDurability: 'required', failoverQuorum: true },
      parameters: { synchronous_commit: 'on' },
    });
  });

  it('connects the relay to its Service, with its Secrets and through the NetworkPolicy', () => {
    const { name } = cluster.metadata;
    const { database, owner } = cluster.spec.bootstrap.initdb;
    const { store } = loadMounted(textOf(`${CLOUDNATIVEPG}/relay.yaml`)).config;
    expect(store.url).toContain(`//${owner}:a%20password@${name}-rw:5432/${database}?`);
    const text = patches.map(({ patch }: { patch: string }) => patch).join('\n');
    expect(text).toContain(`name: ${name}-app`);
    expect(text).toContain(`name: ${name}-ca`);
    expect(text).toContain(`cnpg.io/cluster: ${name}`);
    const connections = store.connections * (deployment.spec.replicas + 1);
    expect(connections).toBeLessThan(Number(cluster.spec.postgresql.parameters.max_connections) / 2);
    expect(bytesOf(cluster.spec.storage.size)).toBeGreaterThan(1.5 * store.maxBytes);
  });

  it('uses the namespace and the ingress of the other example', () => {
    expect(textOf(`${CLOUDNATIVEPG}/namespace.yaml`)).toBe(textOf(`${EXAMPLE}/namespace.yaml`));
    const [own, other] = [CLOUDNATIVEPG, EXAMPLE].map((folder) => treeOf(`${folder}/ingress.yaml`));
    expect(own.spec).toEqual(other.spec);
    expect(own.metadata.annotations).toMatchObject(other.metadata.annotations);
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
  it.each(['base', 'monitoring', 'example', 'replicas', 'autoscaling', 'cloudnativepg'])(
    '%s lists every file of its folder',
    (folder) => {
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
    },
  );
});

describe('the chart', () => {
  const CHART = 'deploy/helm/capillary-aep-relay';
  const values = treeOf(`${CHART}/values.yaml`);

  it('has the same valid configuration as the manifests', () => {
    const base = loadMounted(textOf(`${BASE}/relay.yaml`)).config;
    const chart = loadMounted(JSON.stringify(values.config)).config;
    expect(chart).toEqual(base);
    expect(secretNames(JSON.stringify(values.config))).toEqual(secretNames(textOf(`${BASE}/relay.yaml`)));
  });

  it('runs the pod as the manifests do', () => {
    expect(values.podSecurityContext).toEqual(pod.securityContext);
    expect(values.securityContext).toEqual(container.securityContext);
    // deploy/check-kubernetes.sh compares the rendered pods of both modes.
    expect(values.resources).toEqual(container.resources);
    expect(values.startupSeconds).toBe(
      container.startupProbe.periodSeconds * container.startupProbe.failureThreshold,
    );
    expect(values.terminationGracePeriodSeconds).toBe(pod.terminationGracePeriodSeconds);
    expect(values.mode).toBe('single');
    expect(values.replicaCount).toBe(statefulSet.spec.replicas);
    const { replicas, minReadySeconds, strategy, template } = deployment.spec;
    const [{ lifecycle }] = template.spec.containers;
    expect(values.replicas).toMatchObject({
      count: replicas,
      minReadySeconds,
      maxSurge: strategy.rollingUpdate.maxSurge,
      preStopSeconds: Number(lifecycle.preStop.exec.command[1]),
    });
  });

  it('scales as the manifests do', () => {
    const scaler = treeOf('deploy/kubernetes/autoscaling/horizontal-pod-autoscaler.yaml').spec;
    const { minReplicas, maxReplicas, cpuPercent } = values.autoscaling;
    expect([scaler.minReplicas, scaler.maxReplicas]).toEqual([minReplicas, maxReplicas]);
    expect(scaler.metrics[0].resource.target.averageUtilization).toBe(cpuPercent);
    expect(scaler.metrics[1].external.metric.name).toBe('relay_oldest_pending_age_seconds');
    expect(minReplicas).toBe(values.replicas.count);
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

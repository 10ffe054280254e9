import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';

/*
 * Checks what Helm rendered, beyond the schemas of Kubernetes. Exits with 1 if anything is wrong.
 *
 *   node check-chart.ts DEFAULTS EVERYTHING OPENSHIFT REPLICAS REPLICAS_EVERYTHING \
 *     BASE BASE_REPLICAS
 */
const [
  defaults = [],
  everything = [],
  openshift = [],
  replicas = [],
  replicasEverything = [],
  base = [],
  baseReplicas = [],
] = process.argv
  .slice(2)
  .map((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS()));

function check(what: string, found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return;
  console.error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  process.exitCode = 1;
}

type Labels = Readonly<Record<string, string>>;
function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

type Manifests = readonly any[];
/** The workload. The single mode has a StatefulSet, the other one a Deployment. */
function workloadOf(manifests: Manifests, kind: 'StatefulSet' | 'Deployment'): any {
  const found = manifests.filter((one) => ['StatefulSet', 'Deployment'].includes(one?.kind));
  check(
    'workloads',
    found.map((one) => one.kind),
    [kind],
  );
  return found[0];
}

for (const manifests of [defaults, everything, openshift, replicas, replicasEverything]) {
  const of = (kind: string) => manifests.filter((manifest) => manifest?.kind === kind);
  const isSingle = [defaults, everything, openshift].includes(manifests);
  const set = workloadOf(manifests, isSingle ? 'StatefulSet' : 'Deployment');
  const [test] = of('Pod');
  const [policy] = of('NetworkPolicy');
  const { labels } = test.metadata;
  for (const service of of('Service'))
    check('a Service sends webhooks to the test', matches(service.spec.selector, labels), false);
  const ports = set.spec.template.spec.containers[0].ports.map((port: any) => port.containerPort);
  const allowed = policy.spec.ingress
    .filter(({ from }: any) =>
      from.some((peer: any) => matches(peer.podSelector?.matchLabels ?? { '': '' }, labels)),
    )
    .flatMap((rule: any) => rule.ports.map((port: any) => port.port));
  check('ports that the NetworkPolicy opens to the test', allowed, ports);
  const names = of('Service').map(({ metadata }) => metadata.name);
  const hosts = test.spec.containers[0].args.slice(1).map((url: string) => new URL(url).hostname);
  const headless = `${set.metadata.name}-headless`;
  const pods = Array.from({ length: set.spec.replicas }, (_, index) => `${set.metadata.name}-${index}`);
  check('hosts that the test asks', hosts, [
    set.metadata.name,
    ...(isSingle ? pods.map((pod) => `${pod}.${headless}`) : [headless]),
  ]);
  check('the headless Service of the StatefulSet', set.spec.serviceName, isSingle ? headless : undefined);
  check('the Services exist', names.includes(set.metadata.name) && names.includes(headless), true);
  check('user of the test', test.spec.securityContext, set.spec.template.spec.securityContext);
}

const dashboards = (manifests: readonly any[]) =>
  manifests.filter((manifest) => manifest?.metadata.name.endsWith('-dashboard'));
check('dashboards by default', dashboards(defaults).length, 0);
const [dashboard] = dashboards(everything);
check(
  'the dashboard',
  JSON.parse(dashboard?.data['capillary-aep-relay.json'] ?? 'null'),
  JSON.parse(readFileSync('deploy/grafana/relay.json', 'utf8')),
);
check('the folder of the dashboard', dashboard?.metadata.annotations, { grafana_folder: 'Loyalty' });
check('labels of the dashboard', dashboard?.metadata.labels.grafana_dashboard, '1');

/* The chart runs the pods as the manifests do. */
function podOf(manifests: Manifests, kind: 'StatefulSet' | 'Deployment'): object {
  const {
    serviceAccountName: _account,
    volumes,
    topologySpreadConstraints: spread = [],
    ...pod
  } = workloadOf(manifests, kind).spec.template.spec;
  return {
    ...pod,
    containers: pod.containers.map(({ image: _image, ...container }: any) => ({
      ...container,
      volumeMounts: container.volumeMounts.filter(({ name }: any) => name !== 'database'),
    })),
    // The name of the ConfigMap and the labels differ, and the chart has files of the database only
    // if they are named.
    volumes: volumes.map(({ name }: any) => name).filter((name: string) => name !== 'database'),
    spread: spread.map(({ labelSelector: _labels, ...rest }: any) => rest),
  };
}
check('the pod of mode single', podOf(defaults, 'StatefulSet'), podOf(base, 'StatefulSet'));
check('the pods of mode replicas', podOf(replicas, 'Deployment'), podOf(baseReplicas, 'Deployment'));
for (const field of ['replicas', 'minReadySeconds', 'strategy'])
  check(
    field,
    workloadOf(replicas, 'Deployment').spec[field],
    workloadOf(baseReplicas, 'Deployment').spec[field],
  );
const egress = (manifests: Manifests) => manifests.find((one) => one?.kind === 'NetworkPolicy').spec.egress;
check('egress of mode single', egress(defaults), egress(base));
check('egress of mode replicas', egress(replicas), egress(baseReplicas));

const everythingPod = workloadOf(everything, 'StatefulSet').spec.template.spec;
check(
  'the certificates of egress',
  everythingPod.volumes.find(({ name }: any) => name === 'egress').projected.sources,
  [{ configMap: { name: 'corp-bundle', items: [{ key: 'bundle.pem', path: 'ca.crt' }] } }],
);
check(
  'where they are mounted',
  everythingPod.containers[0].volumeMounts.find(({ name }: any) => name === 'egress').mountPath,
  '/run/secrets/egress',
);
check('the way to the proxy', egress(everything).at(-2), {
  ports: [{ protocol: 'TCP', port: 3_128 }],
  to: [{ ipBlock: { cidr: '10.1.2.3/32' } }],
});

/* A pod has 30 s after the hook, and the autoscaler sets the number of pods. */
const { spec } = workloadOf(replicasEverything, 'Deployment');
const grown = spec.template.spec;
check('the hook', grown.containers[0].lifecycle.preStop.exec.command, ['sleep', '30']);
check('the grace period', grown.terminationGracePeriodSeconds, 60);
check('replicas beside an autoscaler', spec.replicas, undefined);
check('files of the database', grown.volumes.find(({ name }: any) => name === 'database').projected.sources, [
  { secret: { name: 'relay-db-app', items: [{ key: 'secret', path: 'password' }] } },
  { configMap: { name: 'relay-db-ca', items: [{ key: 'bundle.pem', path: 'ca.crt' }] } },
]);
const scaler = replicasEverything.find((one) => one?.kind === 'HorizontalPodAutoscaler');
check(
  'what the autoscaler scales',
  scaler?.spec.scaleTargetRef.name,
  workloadOf(replicasEverything, 'Deployment').metadata.name,
);
check(
  'metrics of the autoscaler',
  scaler?.spec.metrics.map((metric: any) => metric.type),
  ['Resource', 'External', 'Resource'],
);
check(
  'an autoscaler by default',
  replicas.some((one) => one?.kind === 'HorizontalPodAutoscaler'),
  false,
);

const pod = openshift.find((manifest) => manifest?.kind === 'StatefulSet').spec.template.spec;
check('OpenShift: the security context of the pod', pod.securityContext, {
  fsGroupChangePolicy: 'OnRootMismatch',
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
});

import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';

/*
 * Checks what Helm rendered, beyond the schemas of Kubernetes. Exits with 1 if anything is wrong.
 *
 *   node check-chart.ts DEFAULTS EVERYTHING OPENSHIFT
 */
const [defaults = [], everything = [], openshift = []] = process.argv
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

for (const manifests of [defaults, everything, openshift]) {
  const of = (kind: string) => manifests.filter((manifest) => manifest?.kind === kind);
  const [set] = of('StatefulSet');
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
  const pods = Array.from({ length: set.spec.replicas }, (_, index) => `${set.metadata.name}-${index}`);
  check('hosts that the test asks', hosts, [
    set.metadata.name,
    ...pods.map((pod) => `${pod}.${set.spec.serviceName}`),
  ]);
  check(
    'the Services exist',
    names.includes(set.metadata.name) && names.includes(set.spec.serviceName),
    true,
  );
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

const pod = openshift.find((manifest) => manifest?.kind === 'StatefulSet').spec.template.spec;
check('OpenShift: the security context of the pod', pod.securityContext, {
  fsGroupChangePolicy: 'OnRootMismatch',
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
});

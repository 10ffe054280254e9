import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { configJsonSchema } from '../../src/config/json-schema.ts';

const CHART = 'deploy/helm/capillary-aep-relay';
const VALUES_SCHEMA = `${CHART}/values.schema.json`;

const textOf = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');

/** The groups of every file that deploy/prometheus/prometheus.yml names under `rule_files`. */
const ruleGroups = (): unknown[] => {
  const { rule_files: files }: { rule_files: string[] } = parse(textOf('deploy/prometheus/prometheus.yml'));
  return files.flatMap((file) => parse(textOf(`deploy/prometheus/${file}`)).groups as unknown[]);
};

const HEADER = '# Made by `npm run docs` from deploy/prometheus. Change it there.\n';
const yamlOf = (tree: object): string => `${HEADER}${stringify(tree, { lineWidth: 0 })}`;

const prometheusRule = (groups: readonly unknown[]) => ({
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: {
    name: 'capillary-aep-relay',
    labels: { 'app.kubernetes.io/name': 'capillary-aep-relay' },
  },
  spec: { groups },
});

/** The chart's schema with the relay's own as the one of `config`; the rest of the file is written by hand. */
const valuesSchema = (): object => {
  const schema = JSON.parse(textOf(VALUES_SCHEMA));
  const {
    $schema: _,
    definitions,
    ...config
  } = configJsonSchema() as {
    $schema: string;
    definitions: object;
  };
  return { ...schema, definitions: { ...schema.definitions, ...definitions, config } };
};

/** Copies that Kubernetes and Helm need within their own folders: the alert rules, and the schema of the configuration. */
export const clusterFiles = (): [file: string, text: string][] => {
  const groups = ruleGroups();
  return [
    ['deploy/kubernetes/monitoring/prometheus-rule.yaml', yamlOf(prometheusRule(groups))],
    [`${CHART}/files/alerts.yaml`, yamlOf({ groups })],
    [VALUES_SCHEMA, `${JSON.stringify(valuesSchema(), undefined, 2)}\n`],
  ];
};

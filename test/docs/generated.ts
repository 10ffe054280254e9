import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema, plainJsonSchema } from '../../src/config/json-schema.ts';
import { withReferenceTables } from '../config/reference-table.ts';
import { chartValuesText } from './chart-values.ts';
import { clusterFiles } from './cluster-files.ts';
import { FIELD_GROUPS } from './field-groups.ts';
import { leftOutText } from './left-out-table.ts';
import { perEventText } from './mapping-page.ts';
import { metricsPage } from './metrics-page.ts';
import { tenantFieldsText } from './tenant-fields-table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Absolute path of a file of the project. */
export function placeOf(file: string): string {
  return `${ROOT}${file}`;
}

const PAGE = 'docs/mapping.md';
const CHART_PAGE = 'deploy/helm/capillary-aep-relay/README.md';

/**
 * A page with the text between `<!-- generated: NAME … -->` and `<!-- end of generated -->`
 * replaced.
 */
export function withBlock(page: string, name: string, text: string): string {
  const block = new RegExp(`(<!-- generated: ${name}\\b[^>]*-->\\n)[^]*?(<!-- end of generated -->)`);
  if (!block.test(page)) throw new Error(`the page has no block for ${name}`);
  return page.replace(block, (_all, start: string, end: string) => `${start}\n${text}\n\n${end}`);
}

/** Every file of the project that the code tells, as it must be. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const page = readFileSync(placeOf(PAGE), 'utf8');
  const withFields = withBlock(
    withBlock(page, 'left-out', leftOutText()),
    'tenant-fields',
    tenantFieldsText(),
  );
  const files: [string, string][] = [[PAGE, withBlock(withFields, 'per-event', await perEventText())]];
  files.push(...FIELD_GROUPS);
  const chartPage = readFileSync(placeOf(CHART_PAGE), 'utf8');
  files.push([CHART_PAGE, withBlock(chartPage, 'values', chartValuesText())]);
  files.push(['docs/metrics.md', await metricsPage()]);
  const configuration = readFileSync(placeOf('docs/configuration.md'), 'utf8');
  files.push(['docs/configuration.md', withReferenceTables(configuration, plainJsonSchema())]);
  files.push(['docs/config.schema.json', `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`]);
  return new Map([...files, ...clusterFiles()]);
}
